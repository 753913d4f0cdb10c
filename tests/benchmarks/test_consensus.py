"""The replay of public crowd data under the rule of consensus, and what it says of the default."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.consensus import DATA, SEEDS, Replayed, read, replay, replayed_sets, until_decided
from core.policy import ConsensusPolicy
from core.review.consensus import Dispute, Verdict, Vote
from core.vocabulary import DisputeReason

DEFAULT = ConsensusPolicy()


def cast(labels: str) -> list[Vote]:
    return [Vote(f"rater {number}", label) for number, label in enumerate(labels)]


def test_an_item_takes_votes_until_the_rule_has_an_outcome() -> None:
    assert until_decided(cast("abaab"), DEFAULT) == (4, Verdict("a"))
    assert until_decided(cast("ababab"), DEFAULT) == (5, Dispute(DisputeReason.NO_AGREEMENT, 5))
    assert until_decided(cast("ab"), DEFAULT) == (2, Dispute(DisputeReason.NO_REVIEWER_LEFT))


def test_settled_items_their_votes_and_the_right_ones_are_counted(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("task,label\none,a\ntwo,a\nthree,a\n", "utf-8")
    rows = "one,r1,a\none,r2,a\ntwo,r1,b\ntwo,r2,b\nthree,r1,a\nthree,r2,b\nunknown,r1,a\n"
    (tmp_path / "votes.csv").write_text(f"task,worker,label\n{rows}", "utf-8")
    assert replay(*read(tmp_path), DEFAULT, seed=0) == Replayed(settled=2 / 3, votes=2.0, right=0.5)


@pytest.mark.slow
def test_the_default_settles_five_of_six_items_without_a_lead() -> None:
    """On 18 sets of public votes; a cap of three leaves a third of the items to a lead."""
    if not DATA.is_dir():
        pytest.skip(f"{DATA} is not there")
    default, three = (
        np.mean([(one.settled, one.votes) for _name, one in replayed_sets(DATA, policy, SEEDS[:1])], axis=0)
        for policy in (DEFAULT, ConsensusPolicy(votes=3))
    )
    assert default == pytest.approx((0.84, 2.76), abs=0.02)
    assert three == pytest.approx((0.68, 2.31), abs=0.02)
