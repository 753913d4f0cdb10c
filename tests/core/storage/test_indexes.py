"""Frequent queries must not become slower with the number of rows: each uses an index. The statements are recorded
while they run, not copied, and then explained.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select, text
from sqlalchemy.orm import Session

from benchmarks.stock import LABELS, LEAD, PEOPLE, Sizes, bench_policy, fill
from core.delivery import backlog, notices, outbox, webhooks
from core.delivery.card_refs import CardRef
from core.delivery.clock_skew import repair_times
from core.delivery.recipients import reviewers_of
from core.intake.cuts import cut_work, expected_volume, store_cut
from core.intake.daily_readings import read_day, settled_later
from core.intake.drifting import drifting_labels
from core.intake.ingest import record_predictions
from core.intake.predictions import checked_prediction
from core.intake.promise_sample import promise_sample
from core.intake.waiting import may_open, open_next
from core.policy.integrations import WebhookEndpoint
from core.queues import queue_named
from core.records.delivery import Notice, Posting
from core.records.predictions import Prediction, WaitingPrediction
from core.records.reviews import Answer, ReviewItem
from core.records.webhooks import EventDelivery
from core.review.assignments import unanswerable_items
from core.review.budget_reading import budget_reading
from core.review.cards import item_card
from core.review.dispute_notices import tell_of_disputes
from core.review.lead_work import lead_work
from core.review.listing import correction_page, item_page
from core.review.my_work import my_work_card
from core.review.stats import queue_line, stats_card
from core.review.votes import NewAnswer, cast_vote, withdraw_vote
from core.storage import leases
from core.storage.database import PATIENT, Database
from core.vocabulary import AnswerKind, Card, ItemState, Reason, WaitState
from tests.core.desk import NOW

GROWING = ["prediction", "flag", "review_item", "assignment", "answer", "correction", "posting", "notice", "event",
           "event_delivery", "waiting_prediction"]  # fmt: skip
PAGE = 50

Question = Callable[[Session], object]
Overheard = tuple[str, Any]
CLICKED = 1_900_000_000_000_000
ENDPOINT = WebhookEndpoint(name="helpdesk", url="https://helpdesk.example/hook")


@pytest.fixture
def stocked(database: Database) -> Database:
    """A few thousand rows; both databases have looked at them."""
    fill(database, Sizes(4000, 1000), NOW)
    with database.transaction(wait=PATIENT) as session:
        store_cut(session, BUDGETED, "sender-1", [], {}, NOW)
        session.execute(insert(WaitingPrediction), [_in_line(number) for number in range(1, 4001, 4)])
        session.execute(text("ANALYZE"))
    return database


def _in_line(prediction_id: int) -> dict[str, Any]:
    """One in twenty still waits."""
    waits = prediction_id % 80 == 1
    ended_at = None if waits else NOW - timedelta(minutes=prediction_id)
    state = WaitState.WAITING if waits else WaitState.OPENED
    return {"queue_id": 1, "prediction_id": prediction_id, "reason": Reason.UNCERTAIN, "values": {},
            "score": prediction_id / 4000, "state": state, "came_at": NOW, "ended_at": ended_at}  # fmt: skip


@pytest.mark.slow
def test_what_is_asked_often_is_found_by_an_index(stocked: Database) -> None:
    full = [f"{name}: {scan}" for name, ask in QUESTIONS.items() for scan in full_scans(stocked, ask)]
    assert full == []


@pytest.mark.slow
def test_a_question_without_an_index_is_noticed(stocked: Database) -> None:
    """Else the test above would show nothing."""
    found = full_scans(stocked, lambda session: session.execute(text("SELECT id FROM answer WHERE note = 'x'")).all())
    assert found
    assert "answer" in found[0]


@pytest.mark.slow
def test_a_vote_looks_at_few_rows_however_much_its_people_have_said(database: Database) -> None:
    """Which index to read was chosen before there were answers; now each reviewer has answered a hundred items."""
    fill(database, Sizes(4000, 1600, fresh=1600), NOW)
    with database.transaction(wait=PATIENT) as session:
        session.execute(text("ANALYZE"))
        session.execute(insert(Answer), [_said_long_ago(item) for item in range(1, 1601)])
    database.engine.dispose()  # SQLite's connections read what ANALYZE found when they begin
    with database.transaction(wait=PATIENT) as session:
        with overheard(session) as said:
            _voting(session)
        session.rollback()
    looks, most = (_steps_of_sqlite, 1500) if database.is_sqlite else (_rows_of_postgres, 200)
    with database.reading() as session:
        connection = session.connection()
        looked = {statement: looks(connection, statement, values) for statement, values in said}
    assert {statement: count for statement, count in looked.items() if count > most} == {}


@pytest.mark.slow
def test_the_items_of_a_state_are_counted_by_an_index_alone_even_if_most_are_in_it(stocked: Database) -> None:
    """Nine in ten are settled, for which PostgreSQL would rather read the whole table."""
    if stocked.is_sqlite:
        return
    with stocked.engine.connect() as connection:
        connection.exec_driver_sql("SET synchronous_commit = on")  # what is not in the log yet, no vacuum marks
        connection.exec_driver_sql("ANALYZE review_item")
        connection.exec_driver_sql("VACUUM review_item")
    with stocked.reading() as session:
        with overheard(session) as said:
            stats_card(session, RULES, NOW)
        counts = [(asked, values) for asked, values in said if "state" in values]
        ways = [_ways_of_postgres(session.connection(), *count) for count in counts]
    assert ways == [["Index Only Scan"]] * 3


def full_scans(database: Database, ask: Question) -> list[str]:
    """The growing tables of which some statement reads every row, with the statement."""
    with database.transaction(wait=PATIENT) as session:
        with overheard(session) as said:
            ask(session)
        session.rollback()
    explain = _scans_of_sqlite if database.is_sqlite else _scans_of_postgres
    with database.reading() as session:
        return [
            f"{table} in {' '.join(statement.split())}"
            for statement, values in said
            for table in explain(session.connection(), statement, values)
            if table in GROWING
        ]


@contextmanager
def overheard(session: Session) -> Iterator[list[Overheard]]:
    """Statements as the driver gets them, with their values."""
    said: list[Overheard] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        if re.match(r"\s*(SELECT|UPDATE|DELETE|WITH)\b", statement):
            said.append((statement, values[0] if many else values))

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", note)
    yield said
    event.remove(connection, "before_cursor_execute", note)


def _scans_of_sqlite(connection: Connection, statement: str, values: Any) -> list[str]:
    """SCAN reads all of a table, or all of an index; an index that holds a few rows only may be read whole."""
    named = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'"
    partial = set(connection.exec_driver_sql(named).scalars()) - OF_MOST_ROWS
    plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    names = _aliases(statement)
    found = []
    for *_ids, detail in plan:
        scanned = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", detail)
        if scanned and scanned[2] not in partial:
            found.append(names.get(scanned[1], scanned[1]))
    return found


def _scans_of_postgres(connection: Connection, statement: str, values: Any) -> list[str]:
    """With few rows PostgreSQL rightly prefers to read and to join all of them, by one of `OF_MOST_ROWS` too; what is
    asked is whether it could do otherwise when they are many."""
    for way in ("seqscan", "hashjoin", "mergejoin"):
        connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
    partial = set(
        connection.exec_driver_sql(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indpred IS NOT NULL"
        ).scalars()
    )
    [explained] = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values).scalars()
    plan = explained if isinstance(explained, list) else json.loads(explained)
    return [
        node["Relation Name"]
        for node in _nodes(plan[0]["Plan"])
        if node["Node Type"] == "Seq Scan"
        or ("Index" in node["Node Type"] and "Index Cond" not in node and node.get("Index Name") not in partial)
        if "Relation Name" in node
    ]


def _steps_of_sqlite(connection: Connection, statement: str, values: Any) -> int:
    """Of its virtual machine: twenty or so for a row, and some for whatever is asked."""
    own: Any = connection.connection.dbapi_connection
    steps: list[int] = []
    own.set_progress_handler(lambda: steps.append(1), 1)
    connection.exec_driver_sql(statement, values).close()
    own.set_progress_handler(None, 1)
    return len(steps)


def _rows_of_postgres(connection: Connection, statement: str, values: Any) -> int:
    [plan] = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values).scalars()
    return sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in _nodes(plan[0]["Plan"])
        if "Relation Name" in node
    )


def _ways_of_postgres(connection: Connection, statement: str, values: Any) -> list[str]:
    """How it reads each table."""
    [plan] = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values).scalars()
    return [node["Node Type"] for node in _nodes(plan[0]["Plan"]) if "Relation Name" in node]


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Without those that read in the order of an index only as far as a limit."""
    yield plan
    for part in plan.get("Plans", ()):
        if plan["Node Type"] != "Limit" or "Index" not in part["Node Type"]:
            yield from _nodes(part)


def _aliases(statement: str) -> dict[str, str]:
    return {alias: table for table, alias in re.findall(r"(\w+) AS (\w+)", statement)}


def _voting(session: Session) -> None:
    """A vote, the same again, another one, its undoing, and two that settle the item."""
    policy, first = bench_policy(), PEOPLE[0]
    _sending(session)
    newest = (Prediction.queue_id == 1, Prediction.external_id == "T-4009", Prediction.model_version == "sender-1")
    item = session.scalars(select(ReviewItem.id).join(Prediction).where(*newest)).one()
    for number, label in enumerate(LABELS[:2]):
        for _delivered_twice in range(2):
            cast_vote(session, CardRef(item), first, NewAnswer(AnswerKind.LABEL, CLICKED + number, label), NOW, policy)
    withdraw_vote(session, CardRef(item), first, CLICKED + 2, NOW, policy)
    for number, person in enumerate(PEOPLE[1:3], 3):
        receipt = cast_vote(
            session, CardRef(item), person, NewAnswer(AnswerKind.LABEL, CLICKED + number, LABELS[0]), NOW, policy
        )
    assert receipt.settled


def _said_long_ago(item: int) -> dict[str, Any]:
    return {
        "item_id": item, "person": PEOPLE[item % len(PEOPLE)], "kind": AnswerKind.SKIP, "suggestion_shown": True,
        "guideline_version": 1, "clicked_at": item, "created_at": NOW - timedelta(days=9),
    }  # fmt: skip


def _sending(session: Session) -> None:
    rules = bench_policy().queues[0]
    rows = [{"external_id": f"T-{number}", "model_version": "sender-1", "text": "late", "label": LABELS[0],
             "confidence": 0.5} for number in range(3990, 4010)]  # fmt: skip
    assert record_predictions(session, [checked_prediction(row, rules) for row in rows], NOW, rules).flagged == 9


def _claiming(session: Session) -> None:
    queue = queue_named(session, "support")
    outbox.show(session, Card.REVIEW_ITEM, 7, reviewers_of(queue), queue, NOW)
    due = outbox.claim_next(session, "worker", NOW, may_update=True, may_update_open=True, full_channels=["C_LEADS"])
    assert due is not None
    outbox.mark_delivered(session, due.id, due.version, None, NOW)


RULES = bench_policy().queues[0]
BUDGETED = bench_policy(flagging={"budget": "60 a day"}).queues[0]
HOUR_AGO = NOW - timedelta(hours=1)
OF_MOST_ROWS = {"uq_review_item_prediction", "uq_answer_current", "uq_correction_current"}  # partial, but not small

QUESTIONS: dict[str, Question] = {
    "votes": _voting,
    "predictions that come in": _sending,
    "whether a message waits": outbox.is_waiting,
    "whether a notice waits": notices.is_waiting,
    "the next message": _claiming,
    "the next notice": lambda session: notices.claim_next(session, "worker", NOW, ["C_LEADS"]),
    "postings of the dead": lambda session: leases.release_dead(session, Posting, lambda _name: False),
    "notices of the dead": lambda session: leases.release_dead(session, Notice, lambda _name: False),
    "a channel that is back": lambda session: outbox.revive(session, "C_REVIEW", ["is_archived"], NOW),
    "whose message this is": lambda session: outbox.subject_at(session, "C_REVIEW", "1.000100", Card.REVIEW_ITEM),
    "deliveries of the dead": lambda session: leases.release_dead(session, EventDelivery, lambda _name: False),
    "what waits too long": lambda session: repair_times(session, NOW),
    "the next event": lambda session: webhooks.is_waiting(session, (ENDPOINT,), NOW),
    "a card": lambda session: item_card(session, 5, bench_policy()),
    "Home": lambda session: my_work_card(session, PEOPLE[0], [RULES], NOW, bench_policy()),
    "what a budget may open": lambda session: may_open(session, BUDGETED, NOW),
    "what a budget opens": lambda session: open_next(session, BUDGETED, NOW),
    "the work of a cut": lambda session: cut_work(session, BUDGETED, "v1", NOW),
    "the volume of a day": lambda session: expected_volume(session, 1, BUDGETED, NOW),
    "a budget in numbers": lambda session: budget_reading(session, 1, BUDGETED, NOW),
    "a day that is read": lambda session: read_day(session, 1, (HOUR_AGO, NOW), 0),
    "what was settled of two weeks": lambda session: settled_later(session, BUDGETED, NOW),
    "the labels of alarms": lambda session: drifting_labels(session, 1, BUDGETED, NOW),
    "what a promise counts": lambda session: promise_sample(session, 1, "sender-1", HOUR_AGO, NOW + timedelta(days=3)),
    "disputes that are new": lambda session: tell_of_disputes(session, RULES, NOW),
    "a lead's Home": lambda session: lead_work(session, LEAD, bench_policy()),
    "a line of Home": lambda session: queue_line(session, RULES, NOW),
    "stats": lambda session: stats_card(session, RULES, NOW),
    "unanswerable items": lambda session: unanswerable_items(session, 1),
    "a page of items": lambda session: item_page(session, 1, None, 500, PAGE),
    "a page of open items": lambda session: item_page(session, 1, ItemState.OPEN, 500, PAGE),
    "a page of corrections": lambda session: correction_page(session, RULES, None, 500, PAGE, NOW),
    "corrections since": lambda session: correction_page(session, RULES, HOUR_AGO, 500, PAGE, NOW),
    "what waits": backlog.waiting,
    "what was given up": backlog.given_up,
}
