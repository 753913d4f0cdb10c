"""Groups, such as patients: none is in both training and golden set."""

import pytest
from sqlalchemy import select

from core.learning.data.golden import golden_set
from core.learning.data.leakage import exclude_near_duplicates
from core.learning.data.snapshots import gather
from core.privacy.erasure import erase
from core.records.learning import GoldenExample
from core.records.predictions import Prediction
from tests.core.conftest import OpenDesk
from tests.core.desk import NOW, REFUND, Desk
from tests.people import ANA, BEN

WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight")


def settled(desk: Desk, group: str) -> None:
    for number, word in enumerate(WORDS):
        desk.settled(ANA, BEN, text=f"{word} of {group}", external_id=f"{group}-{number}", group=group)


@pytest.mark.slow
def test_a_group_is_drawn_for_the_golden_set_as_a_whole(open_desk: OpenDesk) -> None:
    desk = open_desk(review={"blind_share": 1.0}, golden={"random_share": 0.5})
    groups = [f"P-{number}" for number in range(6)]
    for group in groups:
        settled(desk, group)
    with desk.database.reading() as session:
        golden, rows = golden_set(session, desk.queue().id), gather(session, desk.queue().id, desk.rules)
        kept = exclude_near_duplicates(rows, golden, desk.rules)
    tested, trained = {one.input.group for one in golden}, {row.input.group for row in kept}
    assert tested
    assert trained
    assert tested | trained == set(groups)
    assert not tested & trained


def test_rows_of_a_golden_group_are_left_out_and_erasure_takes_its_name(open_desk: OpenDesk) -> None:
    desk = open_desk(review={"blind_share": 0.0})
    settled(desk, "P-1")
    with desk.database.transaction() as session:
        rows = gather(session, desk.queue().id, desk.rules)
        assert {row.input.group for row in rows} == {"P-1"}
        session.add(
            GoldenExample(
                queue_id=desk.queue().id, text="elsewhere", fields={}, label=REFUND, content_hash="a" * 64,
                stratum="random", origin="flagged", inclusion_probability=1.0, group="P-1", created_at=NOW,
            )
        )  # fmt: skip
    with desk.database.reading() as session:
        assert exclude_near_duplicates(rows, golden_set(session, desk.queue().id), desk.rules) == []
    with desk.database.transaction() as session:
        erase(session, desk.rules.name, "P-1-0", NOW)
        found = session.scalars(select(Prediction.group).where(Prediction.external_id == "P-1-0"))
        assert list(found) == [None]
