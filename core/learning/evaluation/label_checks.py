"""Checks for damaged labels that work even if a label has only two or three golden examples.

A paired test needs about five regressions; swapped training labels or a lost label show a pattern before that.
"""

from collections import Counter
from collections.abc import Sequence

FEW = 5  # with fewer golden examples of a label, exactly half is not enough for a swap: 1 of 2 happens too easily
COLLAPSE = 3  # golden examples that were right before and are all wrong now; with fewer it may be chance


def swaps(labels: Sequence[str], answers: Sequence[str | None]) -> set[tuple[str, str]]:
    """Pairs of labels, in alphabetical order, each of which is mostly predicted as the other.

    labels: the right ones; answers: in the same order, None where there is none. "Mostly": at least half of A's
    examples are predicted as B and at least half of B's as A; with fewer than 5, more than half. Each label needs two
    examples.
    """
    known = [(label, answer) for label, answer in zip(labels, answers, strict=True) if answer is not None]
    totals, taken = Counter(label for label, _ in known), Counter(known)
    mostly = {pair for pair, count in taken.items() if pair[0] != pair[1] and _is_most(count, totals[pair[0]])}
    return {(first, second) for first, second in mostly if first < second and (second, first) in mostly}


def _is_most(count: int, total: int) -> bool:
    return total >= 2 and (2 * count > total if total < FEW else 2 * count >= total)


def collapsed(labels: Sequence[str], before: Sequence[str | None], now: Sequence[str | None]) -> list[str]:
    """Labels of which at least 3 examples were right before and none is right now, in alphabetical order."""
    right_before = Counter(label for label, answer in zip(labels, before, strict=True) if label == answer)
    right_now = {label for label, answer in zip(labels, now, strict=True) if label == answer}
    return sorted(label for label, count in right_before.items() if count >= COLLAPSE and label not in right_now)
