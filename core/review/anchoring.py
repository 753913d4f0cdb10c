"""Anchoring: whether people follow a suggestion that they see.

Votes that were cast with the model's suggestion in sight agree with the settled label more often where people follow
the suggestion. The items differ, too, so the two shares are shown side by side and no test is made of them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from core.learning.evaluation.intervals import Interval

FEWEST_ITEMS = 30  # with fewer, an interval is too wide to be of use
RESAMPLES = 1000


@dataclass(frozen=True)
class JudgedVote:
    """A vote on a settled item. guided: the voter saw the suggestion; agrees: the vote is for the label that was
    settled."""

    item_id: int
    guided: bool
    agrees: bool


@dataclass(frozen=True)
class Agreement:
    """How often votes agree with the settled label. items: settled items that have such votes. share: of the votes that
    agree, with its interval; None: below 30 items."""

    items: int
    share: Interval | None


@dataclass(frozen=True)
class Anchoring:
    guided: Agreement
    blind: Agreement


def anchoring(votes: Iterable[JudgedVote], rng: np.random.Generator) -> Anchoring:
    """Compare the votes of people who saw the suggestion with blind votes. votes: in any order."""
    found = list(votes)
    guided, blind = ([vote for vote in found if vote.guided is wanted] for wanted in (True, False))
    return Anchoring(_agreement(guided, rng), _agreement(blind, rng))


def _agreement(votes: list[JudgedVote], rng: np.random.Generator) -> Agreement:
    by_item: dict[int, Counter[bool]] = defaultdict(Counter)
    for vote in votes:
        by_item[vote.item_id][vote.agrees] += 1
    counts = np.array([(one[True], one.total()) for _item, one in sorted(by_item.items())], float).reshape(-1, 2)
    return Agreement(len(counts), _share(counts, rng) if len(counts) >= FEWEST_ITEMS else None)


def _share(counts: np.ndarray[tuple[int, int], np.dtype[np.float64]], rng: np.random.Generator) -> Interval:
    """counts: (items, 2), votes that agree and all votes. A percentile interval at 95 % from resampled items, since the
    votes of one item are not independent (Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13).
    Where all votes agree, it has no width."""
    kinds, items = np.unique(counts, axis=0, return_counts=True)  # few: drawing items one by one takes far longer
    sums = rng.multinomial(len(counts), items / len(counts), size=RESAMPLES) @ kinds
    estimate = counts[:, 0].sum() / counts[:, 1].sum()
    low, high = np.quantile(sums[:, 0] / sums[:, 1], [0.025, 0.975])
    return Interval(float(estimate), float(min(low, estimate)), float(max(high, estimate)))
