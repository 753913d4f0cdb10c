"""Confidence intervals of a share and of a difference of two shares."""

import math
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True)
class Interval:
    """An estimate with its bounds, low <= estimate <= high."""

    estimate: float
    low: float
    high: float


def wilson(right: float, n: float, level: float = 0.95) -> Interval:
    """A share and its interval, in [0, 1]. n = 0: nothing is known, so 0 to 1 around 0.5. The counts may be fractions,
    after division by a design effect.

    Wilson (1927), JASA 22, 209-212, without continuity correction. Unlike the Wald interval, it keeps its coverage with
    few examples and at shares of 0 and 1."""
    if n == 0:
        return Interval(0.5, 0.0, 1.0)
    z, share = _quantile(level), right / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return Interval(share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)))


def jeffreys(right: int, n: int, level: float = 0.95) -> Interval:
    """A share and its interval, in [0, 1]. n = 0: nothing is known, so 0 to 1 around 0.5.

    Quantiles of the beta distribution with parameters right + 1/2 and n - right + 1/2; the bounds are 0 and 1 if none
    or all are right. Brown, Cai and DasGupta (2001), Statistical Science 16, 101-133, sections 3.1 and 4.1."""
    if n == 0:
        return Interval(0.5, 0.0, 1.0)
    from scipy.special import betaincinv  # loads scipy, which few callers need

    a, b, tail = right + 0.5, n - right + 0.5, (1 - level) / 2
    low = float(betaincinv(a, b, tail)) if right else 0.0
    high = float(betaincinv(a, b, 1 - tail)) if right < n else 1.0
    return Interval(right / n, low, high)


def difference(regressions: float, improvements: float, n: float, level: float = 0.95) -> Interval:
    """The accuracy after minus the accuracy before, in [-1, 1], with a two-sided interval. n = 0: -1 to 1 around 0. The
    counts may be fractions, as for `wilson`.

    Bonett and Price (2012), J. Educational and Behavioral Statistics 37, 479-488: one example is added to each kind of
    difference, so that a few examples without any difference do not prove equality. Recommended for its coverage by
    Fagerland, Lydersen and Laake (2014), Statistics in Medicine 33, 2850-2875.
    """
    if n == 0:
        return Interval(0.0, -1.0, 1.0)
    down, up = (regressions + 1) / (n + 2), (improvements + 1) / (n + 2)
    half = _quantile(level) * math.sqrt((down + up - (up - down) ** 2) / (n + 2))
    estimate = (improvements - regressions) / n
    return Interval(estimate, max(-1.0, min(estimate, up - down - half)), min(1.0, max(estimate, up - down + half)))


def _quantile(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)
