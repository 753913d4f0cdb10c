"""Tests and intervals where inputs belong to groups, such as a patient's pictures: what is right or wrong about one of
them tends to be so about the others. An input without a group is a group of its own.

Without groups of several inputs, both functions give what core/learning/evaluation/paired_tests.py and intervals.py
give without them."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.learning.evaluation.paired_tests import mcnemar_p_value

Number = TypeVar("Number", int, float)


def grouped_p_value(changes: Sequence[int], groups: Sequence[str]) -> float:
    """How often two equally good models would differ by this much or more against the second; 1 without differences.

    changes: of each input, 1: newly right, -1: newly wrong, 0: no difference; groups: its group, or "". If the models
    are equally good, exchanging them within a group is as likely as what was seen; so the sums of the groups change
    signs at random, and the test counts the signs exactly. With groups of one it is McNemar's exact one-sided test. A
    permutation test as of Fisher (1935), The Design of Experiments, section 21, with groups as units.
    """
    if not any(groups):
        return mcnemar_p_value(changes.count(-1), changes.count(1))
    sums = [total for total in _sums(changes, _keys(groups)) if total]
    spread = np.ones(1)  # of the sum of the chosen sizes: the part that fell
    for size in map(abs, sums):
        longer = np.zeros(len(spread) + size)
        longer[: len(spread)] += spread / 2
        longer[size:] += spread / 2
        spread = longer
    fallen = -sum(total for total in sums if total < 0)
    return min(1.0, float(spread[fallen:].sum()))


def design_effect(values: Sequence[float], groups: Sequence[str]) -> float:
    """How many inputs say as much about the mean of these values as one input without a group would: at least 1, at
    most the number of inputs. Counts divided by it go into an interval for independent inputs: Rao and Scott (1992),
    Biometrics 48, 577-585.

    It is the variance of the mean over groups beside that over inputs. Where all values are equal nothing shows how
    much groups matter, so each counts as one input: the sum of squared sizes by their sum (Kish)."""
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
