"""Another process holds SQLite's lock: a click is answered in time, and the worker continues when it is released."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select, text

from core.records.reviews import Answer
from core.storage.database import PATIENT, Database
from tests.loop import Loop, running_loop
from tests.people import REVIEW

pytestmark = pytest.mark.usefixtures("sqlite_only")

UNSURE = {"delivery": 0.5, "refund": 0.4, "billing error": 0.1}
IN_TIME = 2500  # milliseconds
HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
"""
BUSY = """
import sys
from sqlalchemy import text
from core.storage.database import PATIENT, Database
database = Database("sqlite:///" + sys.argv[1])
with database.transaction() as session:
    session.execute(text("CREATE TABLE turns AS SELECT 0 AS taken"))
print("at it", flush=True)
while True:
    with database.transaction(wait=PATIENT) as session:
        for _ in range(20):
            session.execute(text("UPDATE turns SET taken = taken + 0.05"))
"""
TAKEN = text("SELECT taken FROM turns")
FEW = 60  # turns of the other while one of ours waits: a dozen, and hundreds where SQLite does the waiting


@contextmanager
def held(database: Database) -> Iterator[None]:
    """By a process that has begun to write and does not go on."""
    with beside(HOLD, database, "held"):
        yield


@contextmanager
def beside(program: str, database: Database, says: str) -> Iterator[None]:
    command = [sys.executable, "-c", program, str(database.engine.url.database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == f"{says}\n"
        try:
            yield
        finally:
            other.kill()


@pytest.mark.slow
def test_a_click_is_answered_in_time_and_everything_continues_afterwards(database: Database) -> None:
    with running_loop(database, database) as loop:
        loop.predict("T-1", "the sofa came late", UNSURE)
        card = loop.card("the sofa came late")
        with held(database):
            outcomes = [loop.ana.click(card, "refund"), loop.ben.command("/goldloop pause", channel=REVIEW)]
            assert "done today" in loop.eva.open_home().plain, "reading is not held up"
        for outcome in outcomes:
            assert outcome.ok
            assert outcome.ms < IN_TIME
        loop.told(loop.ana, "database is busy. Nothing was recorded")
        assert "Nothing was recorded" in str(outcomes[1].response)
        assert answers(loop) == []
        loop.ana.click(card, "refund")
        loop.ben.click(card, "refund")
        loop.card("*refund* (2 votes)")
        assert answers(loop) == ["U_ANA", "U_BEN"]


@pytest.mark.slow
def test_an_occasional_writer_soon_gets_a_turn_beside_a_process_that_writes_without_pause(
    database: Database,
) -> None:
    waited = []
    with beside(BUSY, database, "at it"):
        for _ in range(60):
            with database.reading() as session:
                before = session.execute(TAKEN).scalar_one()
            with database.transaction(wait=PATIENT) as session:
                waited.append(session.execute(TAKEN).scalar_one() - before)
            time.sleep(0.01)
    assert 0 < sum(waited) / len(waited) < FEW


def answers(loop: Loop) -> list[str]:
    with loop.database.reading() as session:
        return sorted(session.scalars(select(Answer.person)))
