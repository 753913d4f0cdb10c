"""Votes become a verdict, a dispute, or the wish for one more vote."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.policy import ConsensusPolicy
from core.review.consensus import RULES, Dispute, Label, Verdict, Vote, tally, verdict
from core.vocabulary import NONE_OF_THESE, DisputeReason

A, B, C, NONE = "refund", "billing error", "delivery", None
MANY = 100  # reviewers left to ask


def rules(rule: Any, votes: int, cannot_judge: int = 2) -> ConsensusPolicy:
    return ConsensusPolicy(rule=rule, votes=votes, cannot_judge=cannot_judge)


def cast(labels: Sequence[Label]) -> list[Vote]:
    """Each by another rater."""
    return [Vote(f"U_{number}", label) for number, label in enumerate(labels)]


DEFAULT = ConsensusPolicy()
LEAD, MAJORITY = rules("lead_by_2", 5), rules("majority", 5)
Outcome = Verdict | Dispute | None
SPLIT, CANNOT, NO_REVIEWER_LEFT = DisputeReason.NO_AGREEMENT, DisputeReason.CANNOT_JUDGE, DisputeReason.NO_REVIEWER_LEFT

CASES: list[tuple[str, ConsensusPolicy, Sequence[Label], int, int, Outcome]] = [
    # what it is                              rule, votes, cannot judge, left to ask -> outcome
    ("no votes", LEAD, [], 0, MANY, None),
    ("a lone voter never decides by two", LEAD, [A], 0, MANY, None),
    ("two ahead of none", LEAD, [A, A], 0, MANY, Verdict(A)),
    ("one each", LEAD, [A, B], 0, MANY, None),
    ("one ahead", LEAD, [A, B, A], 0, MANY, None),
    ("two ahead after a contrary vote", LEAD, [A, B, A, A], 0, MANY, Verdict(A)),
    ("two ahead of each other answer, not of all", LEAD, [A, A, A, B, C], 0, MANY, Verdict(A)),
    (
        "three answers, none two ahead, at the cap",
        LEAD,
        [A, A, B, C, B],
        0,
        MANY,
        Dispute(SPLIT, 5),
    ),
    ("none of these is an answer like any other", LEAD, [NONE, NONE], 0, MANY, Verdict(NONE)),
    ("none of these against a label", LEAD, [NONE, A], 0, MANY, None),
    ("not yet over half of five", MAJORITY, [A, A], 0, MANY, None),
    ("over half of five, at once", MAJORITY, [A, A, A], 0, MANY, Verdict(A)),
    ("over half of five, with others between", MAJORITY, [A, B, A, C, A], 0, MANY, Verdict(A)),
    ("no answer over half at the cap", MAJORITY, [A, B, A, B, C], 0, MANY, Dispute(SPLIT, 5)),
    (
        "half of four is not over half",
        rules("majority", 4),
        [A, A, B, B],
        0,
        MANY,
        Dispute(SPLIT, 4),
    ),
    ("three of four", rules("majority", 4), [A, B, A, A], 0, MANY, Verdict(A)),
    ("one vote is asked and given", rules("majority", 1), [A], 0, MANY, Verdict(A)),
    ("one cannot judge", LEAD, [A], 1, MANY, None),
    ("two cannot judge", LEAD, [A], 2, MANY, Dispute(CANNOT, 2)),
    ("two cannot judge, but the votes have decided", LEAD, [A, A], 2, MANY, Verdict(A)),
    ("two cannot judge, at the cap", LEAD, [A, B, A, B, C], 2, MANY, Dispute(CANNOT, 2)),
    ("no reviewer left, undecided", LEAD, [A, B], 0, 0, Dispute(NO_REVIEWER_LEFT)),
    ("no reviewer left, no votes", MAJORITY, [], 0, 0, Dispute(NO_REVIEWER_LEFT)),
    ("no reviewer left, decided", LEAD, [A, A], 0, 0, Verdict(A)),
    ("one is left", LEAD, [A, B], 0, 1, None),
    ("by default, three votes that do not agree ask for a fourth", DEFAULT, [A, B, A], 0, MANY, None),
    ("by default, the fourth may settle it", DEFAULT, [A, B, A, A], 0, MANY, Verdict(A)),
    ("by default, the fifth is the last", DEFAULT, [A, B, A, B, A], 0, MANY, Dispute(SPLIT, 5)),
]


@pytest.mark.parametrize(
    ("policy", "votes", "cannot", "left", "outcome"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_votes_have_the_outcome_that_the_rule_says(
    policy: ConsensusPolicy, votes: Sequence[Label], cannot: int, left: int, outcome: Outcome
) -> None:
    assert verdict(cast(votes), cannot, left, policy) == outcome


def test_a_policy_names_only_rules_that_exist() -> None:
    rule = ConsensusPolicy.model_fields["rule"].annotation
    assert set(RULES) == set(rule.__args__ if rule else ())


labels = st.sampled_from([A, B, C, NONE])
policies = st.builds(
    rules, st.sampled_from(["lead_by_2", "majority"]), st.integers(2, 9), st.integers(1, 4)
)  # fmt: skip
ballots = st.lists(labels, max_size=9)
counts = st.integers(0, 5)


@given(ballots.flatmap(lambda votes: st.tuples(st.just(votes), st.permutations(votes))), counts, counts, policies)
def test_the_order_of_the_votes_does_not_matter(
    pair: tuple[list[Label], list[Label]], cannot: int, left: int, policy: ConsensusPolicy
) -> None:
    votes, shuffled = pair
    assert verdict(cast(votes), cannot, left, policy) == verdict(cast(shuffled), cannot, left, policy)


@given(labels, counts, counts, policies)
def test_unanimity_of_all_votes_that_can_be_cast_wins(
    label: Label, cannot: int, left: int, policy: ConsensusPolicy
) -> None:
    assert verdict(cast([label] * policy.votes), cannot, left, policy) == Verdict(label)


@given(ballots, counts, counts, policies)
def test_one_more_vote_for_the_winner_never_unsettles(
    votes: list[Label], cannot: int, left: int, policy: ConsensusPolicy
) -> None:
    outcome = verdict(cast(votes), cannot, left, policy)
    if isinstance(outcome, Verdict):
        assert verdict(cast([*votes, outcome.label]), cannot, left, policy) == outcome


@given(ballots, counts, counts, policies)
def test_a_verdict_has_more_votes_than_any_other_answer(
    votes: list[Label], cannot: int, left: int, policy: ConsensusPolicy
) -> None:
    outcome = verdict(cast(votes), cannot, left, policy)
    if isinstance(outcome, Verdict):
        assert all(votes.count(outcome.label) > votes.count(other) for other in {*votes} - {outcome.label})


@given(ballots, counts, counts, policies)
def test_at_the_cap_there_is_always_an_outcome(
    votes: list[Label], cannot: int, left: int, policy: ConsensusPolicy
) -> None:
    if len(votes) >= policy.votes:
        assert verdict(cast(votes), cannot, left, policy) is not None


@given(ballots, counts, policies)
def test_an_item_is_decided_when_no_reviewer_is_left(votes: list[Label], cannot: int, policy: ConsensusPolicy) -> None:
    assert verdict(cast(votes), cannot, 0, policy) is not None


@given(ballots)
def test_a_tally_counts_every_vote_most_votes_first(votes: list[Label]) -> None:
    counted = tally(cast(votes))
    assert sum(counted.values()) == len(votes)
    assert list(counted.items()) == sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))


def test_a_tally_names_the_vote_without_a_label() -> None:
    assert tally(cast([NONE, A, NONE])) == {NONE_OF_THESE: 2, A: 1}
