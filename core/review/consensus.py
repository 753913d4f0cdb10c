"""The rule that turns votes into a verdict, asks for another vote, or escalates to a lead. It is a pure function.

A further rule (weighing raters by their skill) is one more function in `RULES`.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.policy import ConsensusPolicy
from core.vocabulary import DisputeReason, shown_answer

Label = str | None  # None: "none of these"


@dataclass(frozen=True)
class Vote:
    """rater: the reviewer who cast it."""

    rater: str
    label: Label


@dataclass(frozen=True)
class Verdict:
    """The item is settled with this label."""

    label: Label


@dataclass(frozen=True)
class Dispute:
    """Reviewers cannot settle it: a lead decides. count: of the reviewers or votes that the reason is about."""

    because: DisputeReason
    count: int | None = None

    @property
    def values(self) -> dict[str, int]:
        return {} if self.count is None else {"count": self.count}


def verdict(
    votes: Sequence[Vote], cannot_judge: int, left_to_ask: int, policy: ConsensusPolicy
) -> Verdict | Dispute | None:
    """Decide about an item. None: wait for another vote.

    votes: the current votes, one per reviewer; their order does not matter. cannot_judge: the number of such answers.
    left_to_ask: reviewers without an answer. There can be more votes than `policy.votes` only if that setting was
    lowered meanwhile. A tie is no verdict then either.
    """
    winner = RULES[policy.rule](votes, policy.votes)
    if winner is not None:
        return winner
    if cannot_judge >= policy.cannot_judge:
        return Dispute(DisputeReason.CANNOT_JUDGE, cannot_judge)
    if len(votes) >= policy.votes:
        return Dispute(DisputeReason.NO_AGREEMENT, len(votes))
    if left_to_ask == 0:
        return Dispute(DisputeReason.NO_REVIEWER_LEFT)
    return None


def lead_by_2(votes: Sequence[Vote], _most: int) -> Verdict | None:
    """One answer is two votes ahead of every other. A lone voter never decides."""
    ranked = _counted(votes).most_common(2)
    if not ranked:
        return None
    second = ranked[1][1] if len(ranked) > 1 else 0
    return Verdict(ranked[0][0]) if ranked[0][1] - second >= 2 else None


def majority(votes: Sequence[Vote], most: int) -> Verdict | None:
    """One answer has more than half of the `most` votes that can be cast: no later vote could change it."""
    ranked = _counted(votes).most_common(1)
    return Verdict(ranked[0][0]) if ranked and ranked[0][1] * 2 > max(most, len(votes)) else None


def tally(votes: Sequence[Vote]) -> dict[str, int]:
    """The number of votes by answer as shown, most votes first, then by name."""
    counted = Counter(shown_answer(vote.label) for vote in votes)
    return dict(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))


def _counted(votes: Sequence[Vote]) -> Counter[Label]:
    return Counter(vote.label for vote in votes)


RULES: dict[str, Callable[[Sequence[Vote], int], Verdict | None]] = {"lead_by_2": lead_by_2, "majority": majority}
