"""Tasks rest while nothing is committed and nothing waits, and are there with the next commit."""

import time

import pytest
from sqlalchemy import text

from bot.worker.idling import QUIET_SECONDS, Idling, anything_waits
from core import jobs
from core.delivery import notices
from core.records.delivery import Notice
from core.records.leased import Lease
from core.storage.changes import ASKED_SECONDS, Changes
from core.storage.database import AWAKE_SECONDS, Database
from core.vocabulary import NoticeKind
from tests.people import LEADS, REMINDER
from tests.reliability.slow_motion import Stage


class Scheduler:
    """Notes what its tasks do."""

    def __init__(self) -> None:
        self.told = ["work"]

    def rest(self) -> None:
        self.told.append("rest")

    def wake(self) -> None:
        self.told.append("work")

    def rests(self) -> bool:
        return self.told[-1] == "rest"


def resting(watched: Idling, scheduler: Scheduler) -> float:
    """When they rest, after a start without work."""
    now = time.monotonic()
    for _ in range(3):
        watched.look(now)
        now += QUIET_SECONDS
    assert scheduler.rests()
    return now


def remind(stage: Stage, key: str) -> None:
    with stage.desk.database.transaction() as session:
        notices.notify(session, NoticeKind.DECISION_PENDING, key, LEADS, None, REMINDER, stage.now())


def test_a_commit_changes_the_mark_and_a_look_does_not(database: Database) -> None:
    changes = Changes(database)
    first = changes.mark()
    with database.reading() as session:
        session.execute(text("SELECT 1"))
    assert changes.mark() == first
    with database.transaction() as session:
        session.execute(text("INSERT INTO lease (name) VALUES ('x')"))
    assert changes.mark() != first
    assert changes.mark() == changes.mark()
    changes.close()


def test_a_change_is_noticed_when_its_rows_can_be_read(database: Database) -> None:
    changes = Changes(database)
    first = changes.mark()
    with database.transaction() as session:
        session.execute(text("INSERT INTO lease (name) VALUES ('x')"))
        assert changes.mark() == first
    assert changes.mark() != first
    changes.close()


def test_where_the_database_does_not_answer_each_mark_is_another(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = Changes(database)
    changes.mark()
    monkeypatch.setattr("core.storage.changes.SQLITE", "PRAGMA nothing(")
    monkeypatch.setattr("core.storage.changes.POSTGRESQL", "SELECT nothing")
    assert changes.mark() != changes.mark()
    monkeypatch.undo()
    assert changes.mark() == changes.mark()
    changes.close()


def test_tasks_rest_once_it_has_been_quiet_and_wake_with_the_first_commit(stage: Stage) -> None:
    scheduler = Scheduler()
    watched = Idling(stage.worker(), scheduler.rest, scheduler.wake)
    now = resting(watched, scheduler)
    remind(stage, "one")
    watched.look(now + 0.1)
    assert not scheduler.rests()


def test_they_look_once_more_after_what_was_committed_while_they_were_awake(stage: Stage) -> None:
    """Some may have looked before it, and would not again before they rest."""
    scheduler = Scheduler()
    watched = Idling(stage.worker(), scheduler.rest, scheduler.wake)
    now = resting(watched, scheduler)
    for name in ("one", "two"):
        with stage.desk.database.transaction() as session:
            session.add(Lease(name=name))
        watched.look(now := now + 0.2)
    told = len(scheduler.told)
    watched.look(now := now + QUIET_SECONDS + 0.1)
    watched.look(now + QUIET_SECONDS + 0.1)
    assert scheduler.told[told:] == ["work", "rest"]


def test_they_do_not_rest_while_something_waits_for_later(stage: Stage) -> None:
    scheduler, worker = Scheduler(), stage.worker()
    watched = Idling(worker, scheduler.rest, scheduler.wake)
    remind(stage, "one")
    start = time.monotonic()
    watched.look(start)
    watched.look(start + QUIET_SECONDS)
    watched.look(start + 2 * QUIET_SECONDS)
    assert not scheduler.rests()
    with stage.desk.database.transaction() as session:
        session.query(Notice).update({Notice.failure_reason: "given up"})
    for quiet in range(3, 6):
        watched.look(start + quiet * QUIET_SECONDS)
    assert scheduler.rests()
    with stage.desk.database.transaction() as session:
        jobs.enqueue(session, "train", "k", {}, stage.now())
        assert anything_waits(session, worker)


def test_a_worker_that_was_woken_does_not_rest_before_the_next_announcement() -> None:
    assert AWAKE_SECONDS + ASKED_SECONDS < QUIET_SECONDS
