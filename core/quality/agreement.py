"""Agreement among reviewers, corrected for chance."""

from collections import Counter, defaultdict
from collections.abc import Iterable

Label = str | None  # None: "none of these", a category like any other


def krippendorff_alpha(votes: Iterable[tuple[int, str, Label]]) -> float | None:
    """Krippendorff's alpha. votes: (item, rater, label), at most one per item and rater, in any order. Items with a
    single vote give no information and are left out.

    1: perfect agreement; 0: agreement as by chance; below 0: systematic disagreement. None where it is undefined: no
    item has two votes, or all votes are for one label. Nominal distance. Krippendorff (2011), "Computing Krippendorff's
    Alpha-Reliability"; coincidence matrix of section C.
    """
    by_item: dict[int, list[Label]] = defaultdict(list)
    for item, _rater, label in votes:
        by_item[item].append(label)
    totals: Counter[Label] = Counter()
    disagreeing = 0.0
    for labels in by_item.values():
        raters = len(labels)
        if raters < 2:
            continue
        totals.update(labels)
        agreeing = sum(map(labels.count, labels))  # pairs of votes, including each vote with itself
        disagreeing += (raters * raters - agreeing) / (raters - 1)
    n = totals.total()
    expected = n * n - sum(count * count for count in totals.values())
    return None if expected == 0 else 1 - (n - 1) * disagreeing / expected
