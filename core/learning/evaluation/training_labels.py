"""A check for labels whose training rows are gone, which needs neither golden examples nor stored texts.

A label that is rare in the traffic is seldom predicted, so the stored texts may not show that a candidate has lost it.
Its training rows do: the live model learned it from some, and the candidate has none, or hardly any.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

ROWS = 5  # of a label in the live model's snapshot; fewer can vanish with one near-duplicate of a golden example
RATIO = 10  # the live model's snapshot has at least so many times as many rows


@dataclass(frozen=True)
class RowsGone:
    """A label with the numbers of its training rows in the snapshots of the live model and of the candidate."""

    label: str
    live: int
    candidate: int


def rows_gone(live: Mapping[str, int], candidate: Mapping[str, int], labels: Collection[str]) -> tuple[RowsGone, ...]:
    """The labels whose training rows are gone, in alphabetical order. live, candidate: label -> number of training
    rows. labels: the policy's."""
    return tuple(
        RowsGone(label, live[label], candidate.get(label, 0))
        for label in sorted(labels)
        if live.get(label, 0) >= ROWS and RATIO * candidate.get(label, 0) <= live[label]
    )
