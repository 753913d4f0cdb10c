"""Paired tests of whether the second of two models is worse on the same examples. Only the examples on which they
differ count: regressions, right before and wrong now, and improvements, the reverse. Examples on which both are right
or both are wrong do not show which model is better.

Binomial probabilities are written with the incomplete beta function, as scipy.stats computes them: scipy.stats takes
most of a second to import, in processes that look at one canary.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
BINS = 15  # bins of the calibration error, as in Guo et al. (2017)


def mcnemar_p_value(regressions: int, improvements: int) -> float:
    """The probability that two equally good models differ by this much or more against the second; 1 without
    differences.

    McNemar's test (1947, Psychometrika 12, 153-157), exact and one-sided: P(X >= regressions), X ~ Binomial(regressions
    + improvements, 1/2). One more regression never raises it.
    """
    return float(_at_least(np.array(regressions), regressions + improvements, 0.5))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted for their number, in the given order. Under the null hypotheses, the probability that any
    of them is at most alpha is at most alpha.

    Holm (1979), Scandinavian J. of Statistics 6, 65-70: the k-th smallest of m is multiplied by m - k + 1, and none
    becomes smaller than its predecessor.
    """
    p_adjusted, floor = [0.0] * len(p_values), 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        floor = max(floor, min(1.0, p_values[index] * (len(p_values) - place)))
        p_adjusted[index] = floor
    return p_adjusted


def minimum_detectable_effect(n: int, churn: int, alpha: float, power: float = 0.8) -> float | None:
    """The smallest true drop in accuracy that `mcnemar_p_value <= alpha` detects with probability `power`. churn: the
    number of differences in each direction that are expected without a drop, the smaller of regressions and
    improvements. The share of newly right examples is taken to be (churn + 1) / (n + 2), and that of newly wrong ones
    to be this plus the drop: the more a candidate changes, the harder a drop is to detect. Exact: sums over the number
    of differences, Binomial(n), and the regressions among them. None if even the largest possible drop could not be
    detected (fewer than about 10 examples).
    """
    from scipy.optimize import brentq  # loads scipy, which few callers need

    noise = (churn + 1) / (n + 2)
    most = 1 - 2 * noise
    differences = np.arange(n + 1)
    needed = _fewest(differences, alpha)

    def noticed(fall: float) -> float:
        share = 2 * noise + fall
        blocked = _at_least(needed, differences, (noise + fall) / share)
        return float(-np.diff(_at_least(np.arange(n + 2), n, share)) @ blocked)

    if most <= 0 or noticed(most) < power:
        return None
    return float(brentq(lambda fall: noticed(fall) - power, 0, most, xtol=1e-5))


def calibration_error(confidences: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Expected calibration error, in [0, 1]: the average distance between confidence and share of right answers.

    confidences: (n,) in [0, 1]; right: (n,). 15 bins of equal width, closed on the right, weighted by their rows. No
    rows: 0. With few rows it is too large: compare models on the same rows only. Naeini et al. (2015), AAAI.
    """
    if not len(confidences):
        return 0.0
    bins = np.clip(np.ceil(confidences * BINS).astype(int) - 1, 0, BINS - 1)
    gaps = np.bincount(bins, weights=confidences - right, minlength=BINS)
    return float(np.abs(gaps).sum() / len(confidences))


def _at_least(k: Ints, n: Ints | int, p: float) -> NDArray[np.float64]:
    """P(X >= k), X ~ Binomial(n, p), for k from 0 to n + 1."""
    from scipy.special import betainc  # loads scipy, which few callers need

    inside: NDArray[np.float64] = betainc(np.clip(k, 1, None), np.clip(n - k + 1, 1, None), p)
    return np.where(k <= 0, 1.0, np.where(k > n, 0.0, inside))


def _fewest(n: Ints, alpha: float) -> Ints:
    """The smallest k for each n with P(X >= k) <= alpha, X ~ Binomial(n, 1/2), by bisection."""
    low, high = np.zeros_like(n), n + 1
    while (high - low > 1).any():
        middle = (low + high) // 2
        is_rare = _at_least(middle, n, 0.5) <= alpha
        low, high = np.where(is_rare, low, middle), np.where(is_rare, middle, high)
    return high
