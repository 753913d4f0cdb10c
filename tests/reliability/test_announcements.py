"""PostgreSQL announces the commits that leave work for a worker; what is not announced is found by looking."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from sqlalchemy import text

from core.delivery import notices
from core.records.leased import Lease
from core.storage.changes import Changes
from core.storage.database import Database
from core.vocabulary import NoticeKind
from tests.people import LEADS, REMINDER
from tests.reliability.slow_motion import Stage


def remind(stage: Stage, key: str) -> None:
    with stage.desk.database.transaction() as session:
        notices.notify(session, NoticeKind.DECISION_PENDING, key, LEADS, None, REMINDER, stage.now())


@contextmanager
def waiting(database: Database) -> Iterator[list[float]]:
    """Another thread waits once for an announcement. The list has when it was over."""
    changes, over = Changes(database, listens=True), list[float]()
    assert changes.mark() == changes.mark()

    def wait() -> None:
        changes.wait(threading.Event(), for_announcements=True)
        over.append(time.monotonic())

    thread = threading.Thread(target=wait)
    thread.start()
    yield over
    thread.join(10)
    changes.mark()  # which may find out that the connection has ended
    assert changes.mark() == changes.mark()
    changes.close()


def test_a_commit_with_something_to_post_ends_the_wait(stage: Stage) -> None:
    with waiting(stage.desk.database) as over:
        time.sleep(0.1)
        began = time.monotonic()
        remind(stage, "one")
    assert over[0] - began < 0.3


def test_what_is_rolled_back_or_leaves_no_work_is_not_announced(
    database: Database, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite announces nothing; it is asked five times a second.")
    monkeypatch.setattr("core.storage.changes.ANNOUNCED_SECONDS", 1.0)
    with waiting(database) as over:
        began = time.monotonic()
        with database.transaction() as session:
            session.add(Lease(name="x"))
        with suppress(ZeroDivisionError), database.transaction() as session:
            notices.notify(session, NoticeKind.DECISION_PENDING, "one", LEADS, None, REMINDER, stage.now())
            raise ZeroDivisionError
    assert over[0] - began >= 0.9


def test_a_connection_that_ends_while_it_waits_is_replaced(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has no connection that could end.")
    with waiting(database) as over:
        time.sleep(0.1)
        began = time.monotonic()
        with database.transaction() as session:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_current_snapshot%'"
            session.execute(text(f"{others} AND pid <> pg_backend_pid() AND datname = current_database()"))
    assert over[0] - began < 1.0


def test_what_is_not_announced_is_found_by_looking(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.storage.changes.ANNOUNCED_SECONDS", 0.1)
    changes = Changes(database, listens=True)
    first = changes.mark()
    with database.transaction() as session:
        session.add(Lease(name="x"))
    changes.wait(threading.Event(), for_announcements=True)
    assert changes.mark() != first
    changes.close()
