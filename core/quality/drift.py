"""Drift: whether the last days of a queue differ from the days before by more than chance.

Each day, windows of the last 1, 2, 4 and 7 days are compared with the days before them, the reference, by a conditional
binomial test: if K events fall into window and reference together, and the rate is the same, how many fall into the
window? The test includes the error of the reference, so a short reference makes it cautious, not wrong. Days vary by
more than chance; how much more is estimated from the reference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.vocabulary import DriftSign

Array = NDArray[np.float64]

WINDOWS = (1, 2, 4, 7)  # days
LONGEST = 60  # days of a reference
FEWEST_DAYS = 5  # days with traffic; fewer do not show how much days vary
BINS = 20  # bins of equal width for confidences
UNSURE = 0.2  # share of the reference's rows that counts as unsure
CAUTION = 0.25  # error of the upper bound on the dispersion of volumes, which two weeks estimate badly
# The shares of a day's level. The last three signs begin anew with each model.
SHARES: Mapping[DriftSign, float] = {
    DriftSign.NONE_OF_THESE: 0.4,
    DriftSign.CORRECTIONS: 0.3,
    DriftSign.CONFIDENCE: 0.15,
    DriftSign.VOLUME: 0.15,
}


@dataclass(frozen=True)
class DayCounts:
    """The rows that came on one day of the queue's time zone, and what was settled about them, whenever it was settled.
    weekday: 0 to 6. model: the version that answered most rows; None: no traffic. none_of_these: rows for which people
    found no label. settled, wrong: counts by the label that the model gave; wrong includes none of these. confidences:
    rows in each of 20 bins of [0, 1], lowest first."""

    weekday: int
    rows: int
    model: str | None = None
    none_of_these: int = 0
    settled: Mapping[str, int] | None = None
    wrong: Mapping[str, int] | None = None
    confidences: Sequence[int] = (0,) * BINS


@dataclass(frozen=True)
class Drift:
    """One sign of a change. label: for corrections, the label that the model gave. days: length of the window.
    observed: count in the window; expected: the same, from the reference. p_value: that of the test times the number of
    tests of this sign, in [0, 1]."""

    sign: DriftSign
    label: str | None
    days: int
    observed: int
    expected: float
    p_value: float


def signs_of_drift(
    days: Sequence[DayCounts], level: float, learn: int, quiet: Mapping[DriftSign, int] | None = None
) -> list[Drift]:
    """The signs that the last day, or a window that ends with it, differs from the days before; the most certain window
    and label of each sign.

    days: oldest first, one for each day, also for days on which nothing came. level: probability of any sign on a day
    on which nothing changed, in (0, 1). learn: days that a reference needs before a sign is tested. quiet: number of
    days since a sign was last seen, which is where its reference begins. None-of-these is compared with all days (at
    most 60), the others with those since the model changed, without the day of the change. Days without traffic count
    for volume only."""
    found = []
    for sign, share in SHARES.items():
        since = (quiet or {}).get(sign, len(days))
        mine = days[-since:] if since else days[len(days) :]
        mine = mine if sign is DriftSign.NONE_OF_THESE else _of_present_model(mine)
        most_certain = min(_tests(sign, mine, learn), key=lambda drift: drift.p_value, default=None)
        if most_certain is not None and most_certain.p_value < level * share:
            found.append(most_certain)
    return found


def p_more(
    count: float | Array, exposure: float | Array, of: float | Array, exposed: float | Array, spread: float
) -> Array:
    """The p-value of a higher rate in the window: the probability that at least `count` events fall into a window of
    this exposure if the rate is that of the reference, in which `of` events fell into the exposure `exposed`. Arrays
    are tested element by element. spread: the variance of a day's count as a multiple of a Poisson count's, at least 1;
    1 gives the binomial test. Without events: 1.

    Przyborowski and Wilenski (1940), Biometrika 31, 313-323; the division by the spread is that of quasi-likelihood
    (McCullagh and Nelder 1989, section 6.2)."""
    from scipy.special import betainc  # loads scipy, which few callers need

    k, reference = np.asarray(count, float) / spread, np.asarray(of, float) / spread
    share = np.asarray(exposure / np.maximum(np.asarray(exposure) + exposed, 1e-300), float)
    tail = betainc(np.maximum(k, 1e-9), reference + 1, np.clip(share, 0, 1))
    return np.where(k > 0, tail, 1.0)


def spread_of(counts: Array, expected: Array, lost: int, caution: float | None = None) -> float:
    """The dispersion of daily counts: their variance as a multiple of a Poisson count's, at least 1. It is Pearson's
    statistic divided by its degrees of freedom. lost: number of parameters estimated for `expected`. caution: in (0,
    1), for an upper bound that is too low with this probability."""
    from scipy.special import chdtri

    known = expected > 0
    freedom = int(known.sum()) - lost
    if freedom < 1:
        return 1.0
    chi_squared = float((((counts - expected) ** 2)[known] / expected[known]).sum())
    return max(1.0, chi_squared / (freedom if caution is None else float(chdtri(freedom, 1 - caution))))


def low_bins(reference: Sequence[DayCounts]) -> int:
    """The number of lowest bins of confidence that hold at least a fifth of these days' rows; 0: there are no rows."""
    bins = np.array([day.confidences for day in reference], float).reshape(-1, BINS).sum(axis=0)
    return int(np.searchsorted(np.cumsum(bins) / bins.sum(), UNSURE)) + 1 if bins.sum() else 0


def _of_present_model(days: Sequence[DayCounts]) -> Sequence[DayCounts]:
    """The days since the model last changed, without the day of the change, on which two models answered."""
    model = next((day.model for day in reversed(days) if day.model is not None), None)
    for place in range(len(days) - 1, -1, -1):
        if days[place].model not in (None, model):
            return days[place + 2 :]
    return days


def _tests(sign: DriftSign, days: Sequence[DayCounts], learn: int) -> list[Drift]:
    found: list[Drift] = []
    for window in WINDOWS:
        reference, last = days[-window - LONGEST : -window], days[-window:]
        if len(reference) >= learn and sum(day.rows > 0 for day in reference) >= FEWEST_DAYS:
            found.extend(_TESTS[sign](reference, last))
    return found


def _none_of_these(reference: Sequence[DayCounts], last: Sequence[DayCounts]) -> list[Drift]:
    return [_rate_sign(DriftSign.NONE_OF_THESE, reference, last, [day.none_of_these for day in (*reference, *last)])]


def _confidence(reference: Sequence[DayCounts], last: Sequence[DayCounts]) -> list[Drift]:
    """The sign of rows that are as unsure as the least sure fifth of the reference."""
    lowest = low_bins(reference)
    if not lowest:
        return []
    return [
        _rate_sign(
            DriftSign.CONFIDENCE, reference, last, [sum(day.confidences[:lowest]) for day in (*reference, *last)]
        )
    ]


def _rate_sign(
    sign: DriftSign, reference: Sequence[DayCounts], last: Sequence[DayCounts], counts: Sequence[int]
) -> Drift:
    """The sign for counts, relative to the numbers of rows."""
    rows, n = np.array([day.rows for day in (*reference, *last)], float), len(reference)
    seen = np.array(counts, float)
    rate = seen[:n].sum() / rows[:n].sum()
    spread = spread_of(seen[:n], rows[:n] * rate, 1)
    p_value = p_more(seen[n:].sum(), rows[n:].sum(), seen[:n].sum(), rows[:n].sum(), spread)
    return _drift(sign, None, len(last), seen[n:].sum(), rate * rows[n:].sum(), float(p_value), 1)


def _corrections(reference: Sequence[DayCounts], last: Sequence[DayCounts]) -> list[Drift]:
    """The signs of wrong answers among the settled ones, by the label that the model gave. All labels are assumed to
    vary equally from day to day."""
    labels = sorted({label for day in last for label in day.wrong or {}})
    if not labels:
        return []
    n, all_days = len(reference), (*reference, *last)
    known = sorted({label for day in all_days for label in day.settled or {}})
    settled = np.array([[(day.settled or {}).get(label, 0) for label in known] for day in all_days], float)
    wrong = np.array([[(day.wrong or {}).get(label, 0) for label in known] for day in all_days], float)
    rates = wrong[:n].sum(0) / np.maximum(settled[:n].sum(0), 1)
    spread = spread_of(wrong[:n].ravel(), (settled[:n] * rates).ravel(), int((rates > 0).sum()))
    p_values = p_more(wrong[n:].sum(0), settled[n:].sum(0), wrong[:n].sum(0), settled[:n].sum(0), spread)
    return [
        _drift(DriftSign.CORRECTIONS, label, len(last), wrong[n:, i].sum(), rates[i] * settled[n:, i].sum(),
               float(p_values[i]), len(known))
        for i, label in enumerate(known)
        if settled[:n, i].any()
    ]  # fmt: skip


def _volume(reference: Sequence[DayCounts], last: Sequence[DayCounts]) -> list[Drift]:
    """The sign of more or fewer rows than on the same weekdays before."""
    rows = np.array([day.rows for day in reference], float)
    weekdays = np.array([day.weekday for day in reference])
    days = np.array([(weekdays == weekday).sum() for weekday in range(7)], float)
    means = np.array([rows[weekdays == weekday].sum() for weekday in range(7)]) / np.maximum(days, 1)
    if not all(days[day.weekday] for day in last):
        return []
    spread = spread_of(rows, means[weekdays], int((means > 0).sum()), CAUTION)
    came, expected = sum(day.rows for day in last), sum(means[day.weekday] for day in last)
    # The reference stands for as many windows as it has days of the rarest weekday.
    windows = min(days[day.weekday] for day in last)
    more = float(p_more(came, 1.0, expected * windows, windows, spread))
    fewer = float(p_more(expected * windows, windows, came, 1.0, spread))
    return [_drift(DriftSign.VOLUME, None, len(last), came, expected, min(more, fewer), 2)]


def _drift(
    sign: DriftSign, label: str | None, days: int, observed: float, expected: float, p_value: float, tests: int
) -> Drift:
    return Drift(sign, label, days, int(observed), float(expected), min(1.0, p_value * tests * len(WINDOWS)))


_TESTS = {
    DriftSign.NONE_OF_THESE: _none_of_these,
    DriftSign.CORRECTIONS: _corrections,
    DriftSign.CONFIDENCE: _confidence,
    DriftSign.VOLUME: _volume,
}
