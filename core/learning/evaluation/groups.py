"""Tests and intervals for inputs in groups, such as a patient's pictures: right and wrong answers within a group are
correlated. An input without a group is a group of its own. If no group has several inputs, both functions give the same
results as core/learning/evaluation/paired_tests.py and intervals.py."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.learning.evaluation.paired_tests import mcnemar_p_value

Number = TypeVar("Number", int, float)


def grouped_p_value(changes: Sequence[int], groups: Sequence[str]) -> float:
    """The probability that two equally good models differ by this much or more against the second; 1 without
    differences. changes: per input, 1: newly right, -1: newly wrong, 0: no difference; groups: per input, its group, or
    "". If the models are equally good, exchanging them within a group is as likely as the observation; so the signs of
    the groups' sums are random, and the test enumerates them exactly. With groups of one it is McNemar's exact
    one-sided test. The permutation test of Fisher (1935), The Design of Experiments, section 21, with groups as units.
    """
    if not any(groups):
        return mcnemar_p_value(changes.count(-1), changes.count(1))
    sums = [total for total in _sums(changes, _keys(groups)) if total]
    spread = np.ones(1)  # the distribution of the sum of the groups with a negative sign
    for size in map(abs, sums):
        longer = np.zeros(len(spread) + size)
        longer[: len(spread)] += spread / 2
        longer[size:] += spread / 2
        spread = longer
    fallen = -sum(total for total in sums if total < 0)
    return min(1.0, float(spread[fallen:].sum()))


def design_effect(values: Sequence[float], groups: Sequence[str]) -> float:
    """The design effect: how many grouped inputs are worth one independent input for the mean of these values; at least
    1, at most the number of inputs. Counts divided by it go into an interval for independent inputs: Rao and Scott
    (1992), Biometrics 48, 577-585. It is the variance of the mean over groups divided by that over inputs. If all
    values are equal, the data do not show how much groups matter, so each group counts as one input: the sum of squared
    sizes divided by the sum of sizes (Kish)."""
    keys, n = _keys(groups), len(values)
    sizes = np.array(_sums([1] * n, keys), dtype=np.float64)
    if len(sizes) == n:
        return 1.0
    kish = float((sizes**2).sum() / n)
    off: NDArray[np.float64] = np.asarray(values, dtype=np.float64) - np.mean(values)
    alone = float((off**2).sum()) / (n - 1)
    if len(sizes) == 1 or alone == 0:
        return kish
    sums = np.array(_sums(off.tolist(), keys))
    together = float((sums**2).sum()) / n * len(sizes) / (len(sizes) - 1)
    return min(float(n), max(1.0, together / alone))


def _keys(groups: Sequence[str]) -> list[Hashable]:
    return [group or place for place, group in enumerate(groups)]


def _sums(values: Sequence[Number], keys: Sequence[Hashable]) -> list[Number]:
    totals: dict[Hashable, Number] = {}
    for key, value in zip(keys, values, strict=True):
        totals[key] = totals[key] + value if key in totals else value
    return list(totals.values())
