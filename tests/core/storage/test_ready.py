"""Ready statements: what SQLAlchemy makes of a statement, and its errors, in a fraction of its time."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from sqlalchemy import Executable, String, Table, bindparam, event, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import DatabaseBusy, DatabaseUnavailable
from core.records.reviews import Answer, Correction, Reviewer, ReviewItem
from core.review.items import locked_items
from core.storage.database import PATIENT, Database
from core.storage.deadlines import finished_within
from core.storage.ready import Question, ask_all, at_once, fetch, put, send, send_write, write
from core.vocabulary import AnswerKind, ItemState
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NOW, Desk
from tests.people import ANA, BEN

ANSWERS = select(Answer).where(Answer.person == bindparam("person"), Answer.kind == AnswerKind.LABEL)
CORRECTIONS = select(Correction.tally, Correction.lead, Correction.settled_at, Correction.settled_by)
ITEMS = select(ReviewItem.state, ReviewItem.disputed_values, ReviewItem.opened_at).order_by(ReviewItem.id)
SINCE = select(Answer.id).where(Answer.created_at >= bindparam("since"))
STATE = cast(Table, ReviewItem.__table__).update().where(ReviewItem.id == bindparam("item")).values(
    state=bindparam("new"), settled_at=bindparam("at")
)  # fmt: skip
PAUSED = cast(Table, Reviewer.__table__).insert().values(person=bindparam("name"), paused_at=NOW)


@contextmanager
def listening(session: Session) -> Iterator[list[str]]:
    """Then statements take SQLAlchemy's own way."""
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        said.append(statement)

    event.listen(session.connection(), "before_cursor_execute", note)
    yield said
    event.remove(session.connection(), "before_cursor_execute", note)


def write_at_once(session: Session, pairs: Sequence[tuple[Executable, list[dict[str, Any]]]]) -> None:
    with at_once(session):
        for statement, rows in pairs:
            write(session, statement, rows)


@pytest.mark.parametrize(
    ("statement", "values"),
    [(ANSWERS, {"person": ANA}), (CORRECTIONS, {}), (ITEMS, {}), (SINCE, {"since": NOW})],
    ids=["words and times", "documents and nothing", "states", "a time as value"],
)
def test_it_finds_what_sqlalchemy_finds(desk: Desk, statement: Executable, values: dict[str, Any]) -> None:
    desk.settled(ANA, BEN)
    desk.click(ANA, desk.ticket(), BILLING)
    with desk.database.reading() as session:
        found = fetch(session, statement, values)
        with listening(session) as said:
            heard = fetch(session, statement, values)
        assert [tuple(row) for row in session.connection().execute(statement, values)] == found == heard
        assert len(said) == 1
    assert found


def test_it_writes_each_row_and_says_how_many(desk: Desk) -> None:
    items = [desk.ticket() for _number in range(3)]
    at = datetime(2026, 11, 24, 9, tzinfo=UTC)
    with desk.database.transaction(wait=PATIENT) as session:
        rows = [{"item": item, "new": ItemState.CLOSED, "at": at} for item in items[:2]]
        assert write(session, STATE, rows) == 2
        assert write(session, STATE, [{"item": 999, "new": ItemState.CLOSED, "at": None}]) == 0
    assert [(desk.item(item).state, desk.item(item).settled_at) for item in items] == [
        (ItemState.CLOSED, at), (ItemState.CLOSED, at), (ItemState.OPEN, None),
    ]  # fmt: skip


def test_it_raises_sqlalchemys_errors(desk: Desk) -> None:
    with pytest.raises(IntegrityError), desk.database.transaction() as session:
        write(session, PAUSED, [{"name": ANA}, {"name": ANA}])
    with desk.database.reading() as session:
        assert fetch(session, select(Reviewer.person), {}) == []


def test_questions_that_are_asked_together_are_answered_in_their_order(desk: Desk) -> None:
    items = [desk.ticket() for _number in range(3)]
    counted = Question(select(func.count()).select_from(ReviewItem), {}, lambda rows: rows[0][0])
    changed = Question(STATE, {"item": items[0], "new": ItemState.CLOSED, "at": None}, len)
    states = Question(ITEMS, {}, lambda rows: [row[0] for row in rows])
    with desk.database.transaction(wait=PATIENT) as session:
        told = ask_all(session, [states, changed, states, counted])
        with listening(session) as said:
            assert ask_all(session, [states, counted]) == told[2:]
        assert len(said) == 2
    assert told == [[ItemState.OPEN] * 3, 0, [ItemState.CLOSED, ItemState.OPEN, ItemState.OPEN], 3]


def test_what_is_written_at_once_is_there_and_what_is_read_in_between_sees_it(desk: Desk) -> None:
    item = desk.ticket()
    with desk.database.transaction(wait=PATIENT) as session:
        with at_once(session):
            write(session, PAUSED, [{"name": ANA}, {"name": BEN}])
            assert fetch(session, select(Reviewer.person).order_by(Reviewer.person), {}) == [(ANA,), (BEN,)]
            answer = send(session, ITEMS, {})
            write(session, STATE, [{"item": item, "new": ItemState.CLOSED, "at": None}])
        assert [row[0] for row in answer()] == [ItemState.OPEN]
    assert desk.item(item).state is ItemState.CLOSED


def test_more_than_any_buffer_holds_is_sent_and_answered_at_once(desk: Desk) -> None:
    long = Question(select(bindparam("words", type_=String)), {"words": "x" * 3_000_000}, lambda rows: len(rows[0][0]))
    with desk.database.reading(wait=PATIENT) as session, at_once(session):
        answers = [put(session, long) for _number in range(10)]
    assert [answer() for answer in answers] == [3_000_000] * 10


def test_how_many_rows_were_written_at_once_is_known_after_the_end(desk: Desk) -> None:
    items = [desk.ticket() for _number in range(2)]
    with desk.database.transaction(wait=PATIENT) as session:
        with at_once(session):
            counts = [
                send_write(session, STATE, {"item": item, "new": ItemState.CLOSED, "at": NOW}) for item in (*items, 999)
            ]
        assert [count() for count in counts] == [1, 1, 0]
        assert send_write(session, STATE, {"item": items[0], "new": ItemState.OPEN, "at": None})() == 1
    assert [desk.item(item).state for item in items] == [ItemState.OPEN, ItemState.CLOSED]


def test_an_error_among_statements_that_are_sent_at_once_is_raised_and_nothing_is_written(desk: Desk) -> None:
    item = desk.ticket()
    closed = [{"item": item, "new": ItemState.CLOSED, "at": None}]
    with pytest.raises(IntegrityError), desk.database.transaction() as session:
        write_at_once(session, [(PAUSED, [{"name": ANA}]), (PAUSED, [{"name": ANA}]), (STATE, closed)])
    assert desk.item(item).state is ItemState.OPEN
    with desk.database.transaction() as session:
        assert ask_all(session, [Question(select(Reviewer.person), {}, list)]) == [[]]


def test_a_question_that_waits_for_a_lock_is_a_refusal_also_among_others(open_on_postgresql: Any) -> None:
    desk: Desk = open_on_postgresql()
    item = desk.ticket()
    locking = Question(select(ReviewItem.id).where(ReviewItem.id == item).with_for_update(of=ReviewItem), {}, list)
    with desk.database.transaction(wait=PATIENT) as session:
        locked_items(session, [item])
        with pytest.raises(DatabaseBusy), finished_within(0.4), desk.database.transaction() as other:
            ask_all(other, [Question(ITEMS, {}, list), locking, Question(ITEMS, {}, list)])
    with desk.database.transaction() as session:
        assert ask_all(session, [locking]) == [[(item,)]]


def test_a_connection_that_dies_between_questions_is_not_used_again(open_on_postgresql: Any) -> None:
    database = open_on_postgresql().database
    died = Question(select(text("pg_terminate_backend(pg_backend_pid())")), {}, list)
    with pytest.raises(DatabaseUnavailable), database.transaction() as session:
        ask_all(session, [died, Question(select(text("1")), {}, list)])
    with database.transaction() as session:
        assert ask_all(session, [Question(select(text("1")), {}, list)]) == [[(1,)]]


def test_a_row_that_stays_locked_is_a_refusal(open_on_postgresql: Any) -> None:
    desk: Desk = open_on_postgresql()
    item = desk.ticket()
    with desk.database.transaction(wait=PATIENT) as session:
        locked_items(session, [item])
        with pytest.raises(DatabaseBusy), finished_within(0.4), desk.database.transaction() as other:
            locked_items(other, [item])


def test_a_connection_that_has_died_is_not_used_again(open_on_postgresql: Any) -> None:
    database = open_on_postgresql().database
    with pytest.raises(DatabaseUnavailable), database.transaction() as session:
        fetch(session, select(text("pg_terminate_backend(pg_backend_pid())")), {})
    with database.transaction() as session:
        assert fetch(session, select(text("1")), {}) == [(1,)]


def test_a_statement_whose_text_depends_on_its_values_is_refused(database: Database) -> None:
    listed = select(Answer.id).where(Answer.id.in_(bindparam("ids", expanding=True)))
    with database.reading() as session, pytest.raises(AssertionError, match="depends on its values"):
        fetch(session, listed, {"ids": [1, 2]})


def test_sqlite_plans_no_statement_of_a_vote_anew(open_desk: OpenDesk) -> None:
    """It does where a value decides whether an index of some rows can be used, as that of runs that are requested."""
    desk = open_desk(retraining={"corrections": 50})
    if not desk.database.is_sqlite:
        pytest.skip("PostgreSQL decides by itself when to plan")
    tickets = [desk.ticket() for _number in range(3)]
    with planning(desk.database) as planned:
        for ticket in tickets:
            before = len(planned)
            desk.click(ANA, ticket, BILLING)
            assert desk.click(BEN, ticket, BILLING).settled
    assert before > 0
    assert planned[before:] == []


@contextmanager
def planning(database: Database) -> Iterator[list[object]]:
    """What SQLite asks for leave to read while it plans statements, on the connection that is used next."""
    planned: list[object] = []

    def note(*what: object) -> int:
        if what[0] == sqlite3.SQLITE_READ:
            planned.append(what)
        return sqlite3.SQLITE_OK

    connection = database.engine.raw_connection()
    own = cast(sqlite3.Connection, connection.dbapi_connection)
    connection.close()
    own.set_authorizer(note)
    yield planned
    own.set_authorizer(None)
