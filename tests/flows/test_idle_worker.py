"""An idle Goldloop takes no write lock, and posts at once what comes then."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event

from bot.worker.idling import QUIET_SECONDS
from core.storage.database import Database
from tests.flows.conftest import StartLoop

WRITES = ("BEGIN IMMEDIATE", "INSERT", "UPDATE", "DELETE")


@pytest.fixture
def writes(database: Database) -> Iterator[list[tuple[float, str]]]:
    """When this process took SQLite's write lock, and for what."""
    taken: list[tuple[float, str]] = []

    def noted(statement: str) -> None:
        if statement.startswith(WRITES):
            taken.append((time.monotonic(), statement))

    def trace(connection: Any, *_: object) -> None:
        if database.is_sqlite:
            connection.set_trace_callback(noted)

    event.listen(database.engine, "connect", trace)
    database.engine.dispose()
    yield taken
    event.remove(database.engine, "connect", trace)


@pytest.mark.slow
def test_an_idle_worker_takes_no_write_lock_and_posts_what_comes(
    writes: list[tuple[float, str]], start_loop: StartLoop
) -> None:
    loop = start_loop()
    loop.predict("A-1", "where is my parcel", {"delivery": 0.5, "refund": 0.5})
    loop.card("where is my parcel")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and _in_the_last(writes, QUIET_SECONDS + 5):
        time.sleep(0.5)
    assert _in_the_last(writes, QUIET_SECONDS) == []
    loop.predict("A-2", "my card was charged twice", {"delivery": 0.5, "refund": 0.5})
    loop.card("my card was charged twice")


def _in_the_last(writes: list[tuple[float, str]], seconds: float) -> list[str]:
    return [statement for at, statement in writes if time.monotonic() - at < seconds]
