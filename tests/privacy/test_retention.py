"""Retention: a table of what is erased and what stays."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.learning.data.seeds import add_seeds
from core.learning.data.snapshots import gather, store
from core.privacy.erasure import erase, erase_expired
from core.records.predictions import Prediction
from tests.core.conftest import OpenDesk
from tests.core.desk import DELIVERY, NOW, REFUND, SURE, Desk, sent
from tests.people import ANA, BEN

OLD = NOW - timedelta(days=31)


def left(desk: Desk) -> set[str]:
    with desk.database.reading() as session:
        return set(session.scalars(select(Prediction.external_id).where(Prediction.text != "")))


def expire(desk: Desk, most: int = 500) -> int:
    with desk.database.transaction() as session:
        return erase_expired(session, desk.rules, NOW, most)


@pytest.fixture
def keeping_a_month(open_desk: OpenDesk) -> Desk:
    return open_desk(privacy={"retention_days": 30})


def test_each_prediction_goes_or_stays_as_the_table_says(keeping_a_month: Desk) -> None:
    desk = keeping_a_month
    desk.ingest(sent("not reviewed", SURE, external_id="old and sure"), now=OLD)
    desk.ingest(sent("not reviewed lately", SURE, external_id="new and sure"))
    desk.ticket("still waiting", external_id="old and open", now=OLD)
    trained = desk.ticket("in a snapshot", external_id="trained", now=OLD)
    for person in (ANA, BEN):
        desk.click(person, trained, REFUND, now=OLD)
    with desk.database.transaction() as session:
        rows = gather(session, desk.queue().id, desk.rules)
        assert len(rows) == 1
        store(session, desk.queue().id, rows, 0, [], OLD, desk.rules)
    settled = desk.ticket("in no snapshot", external_id="settled long ago", now=OLD)
    lately = desk.ticket("settled lately", external_id="settled lately", now=OLD)
    for person in (ANA, BEN):
        desk.click(person, settled, DELIVERY, now=OLD)
        desk.click(person, lately, REFUND)
    assert expire(desk) == 2
    assert left(desk) == {"new and sure", "old and open", "trained", "settled lately"}
    assert expire(desk) == 0


def test_golden_examples_stay(open_desk: OpenDesk) -> None:
    desk = open_desk(privacy={"retention_days": 30}, review={"blind_share": 1.0})
    item_id = desk.ticket("a past error", external_id="golden", now=OLD)
    for person in (ANA, BEN):
        desk.click(person, item_id, DELIVERY, now=OLD)
    assert expire(desk) == 0
    assert left(desk) == {"golden"}


def test_a_golden_twin_that_was_erased_keeps_nothing(open_desk: OpenDesk) -> None:
    desk = open_desk(privacy={"retention_days": 30}, golden={"seed_share": 1.0})
    with desk.database.transaction() as session:
        add_seeds(session, [("where is it", DELIVERY)], NOW, desk.rules)
    desk.ingest(sent("where is it", SURE, external_id="first"), now=OLD)
    with desk.database.transaction() as session:
        assert erase(session, "support", "first", NOW).golden == 1
    desk.ingest(sent("where is it", SURE, external_id="second"), now=OLD)
    assert left(desk) == {"second"}
    assert expire(desk) == 1


def test_it_goes_on_in_pieces(keeping_a_month: Desk) -> None:
    keeping_a_month.ingest(*(sent("", SURE) for _ in range(5)), now=OLD)
    assert [expire(keeping_a_month, most=2) for _ in range(4)] == [2, 2, 1, 0]
