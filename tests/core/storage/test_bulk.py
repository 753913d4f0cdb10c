"""Bulk statements: a single row goes to the database in another form than many, and is stored alike."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import Table, select, text

from core.records.reviews import Escalation, ReviewItem
from core.review.items import locked_items
from core.storage import bulk
from core.storage.bulk import Bulk, Changes, insert_all, insert_returning, update_all
from core.storage.database import PATIENT
from core.vocabulary import DisputeReason, ItemState
from tests.core.conftest import OpenDesk
from tests.core.desk import Desk

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
ESCALATIONS = Bulk(
    cast(Table, Escalation.__table__), same=("at",), each=("item_id", "because", "values"), back=("item_id",)
)
STATES = Changes(cast(Table, ReviewItem.__table__), each=("state", "disputed_values", "settled_at"))
SAID: dict[str, Any] = {"tally": {"Über “uns”": 2, "x": 0.5}, "left": [1, None, True], "at": "%s \\ '"}
CHANGES = [
    (ItemState.SETTLED, SAID, AT),
    (ItemState.DISPUTED, {}, None),
    (ItemState.OPEN, SAID, AT + timedelta(days=1)),
]


def escalation(item: int, values: dict[str, Any]) -> dict[str, Any]:
    return {"item_id": item, "because": DisputeReason.NO_AGREEMENT, "values": values}


@pytest.mark.parametrize("together", [1, 2, 3])
def test_rows_are_inserted_alike_however_many_come_together(desk: Desk, together: int) -> None:
    items = [desk.ticket() for _number in range(3)]
    rows = [escalation(item, values) for item, values in zip(items, ({}, SAID, {"left": None}), strict=True)]
    with desk.database.transaction(wait=PATIENT) as session:
        first, others = rows[:together], rows[together:]
        assert sorted(insert_returning(session, ESCALATIONS, {"at": AT}, first)) == [
            (item,) for item in items[:together]
        ]
        assert insert_all(session, ESCALATIONS, {"at": AT}, others) == len(others)
    with desk.database.reading() as session:
        stored = select(Escalation.item_id, Escalation.because, Escalation.values, Escalation.at)
        found = [tuple(row) for row in session.execute(stored.order_by(Escalation.item_id))]
    assert found == [(row["item_id"], DisputeReason.NO_AGREEMENT, row["values"], AT) for row in rows]


def test_rows_too_large_for_one_statement_are_stored_in_their_order(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [desk.ticket() for _number in range(5)]
    monkeypatch.setattr(bulk, "LARGEST", len(str(SAID)) * 2)
    with desk.database.transaction(wait=PATIENT) as session:
        rows = [escalation(item, SAID) for item in items]
        assert insert_returning(session, ESCALATIONS, {"at": AT}, rows) == [(item,) for item in items]


@pytest.mark.parametrize("together", [1, 2, 3])
def test_rows_are_updated_alike_however_many_come_together(desk: Desk, together: int) -> None:
    items = [desk.ticket() for _number in range(3)]
    names = ("id", *STATES.each)
    rows = [dict(zip(names, (item, *change), strict=True)) for item, change in zip(items, CHANGES, strict=True)]
    with desk.database.transaction(wait=PATIENT) as session:
        update_all(session, STATES, rows[:together])
        update_all(session, STATES, rows[together:])
    kept = [(desk.item(item).state, desk.item(item).disputed_values, desk.item(item).settled_at) for item in items]
    assert kept == CHANGES


def test_postgresql_keeps_its_plan_for_the_item_of_a_single_vote(open_on_postgresql: OpenDesk) -> None:
    """Planning it takes twice as long as all else that is done for it; what is asked of a list is planned each time."""
    desk = open_on_postgresql()
    items = [desk.ticket() for _number in range(2)]
    with desk.database.transaction(wait=PATIENT) as session:
        for _time in range(15):
            locked_items(session, items[:1])
            locked_items(session, items)
        kept = "SELECT generic_plans > 0 FROM pg_prepared_statements WHERE statement LIKE '%FOR UPDATE OF review_item%'"
        assert sorted(session.scalars(text(kept))) == [False, True]
