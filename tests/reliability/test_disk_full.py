"""The disk of the database is full. People are told, no write is partial, and with free space everything continues.

There is no other disk to fill: trained models are in the database as well (docs/decisions/0003)."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import event, select, text

from bot.observability.write_check import WriteCheck, Writes
from bot.runtime.migrate import migrate
from core.errors import DiskFull
from core.records.reviews import Answer, Correction
from core.storage.database import Database
from core.storage.database_errors import Seldom
from tests.loop import Loop, running_loop
from tests.people import REVIEW
from tests.postgres import PostgresServer

UNSURE = {"delivery": 0.5, "refund": 0.4, "billing error": 0.1}
IN_TIME = 2500  # milliseconds
SMALL = {"sqlite": "8m", "postgresql": "160m"}


@pytest.fixture
def disk(database_kind: str) -> Iterator[Path]:
    """A file system of its own, so small that a test can fill it. Its name is short, for sockets have no long ones."""
    folder = Path(tempfile.mkdtemp(prefix="goldloop-disk-"))
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={SMALL[database_kind]},mode=755", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mounting, capture_output=True).returncode != 0:
        folder.rmdir()
        pytest.skip("a small file system can be mounted by root only")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


@pytest.fixture
def database_url(disk: Path, database_kind: str, sqlite_template: Path) -> Iterator[str]:
    if database_kind == "sqlite":
        yield f"sqlite:///{shutil.copy(sqlite_template, disk / 'goldloop.sqlite')}"
        return
    server = PostgresServer(durable=True, folder=disk)
    made = Database(server.url())
    migrate(made)
    made.close()
    yield server.url()
    server.close()


@contextmanager
def filled(disk: Path, database: Database) -> Iterator[None]:
    """To the last byte. SQLite's journal is emptied first: it would be written over without needing room."""
    fillers = [disk / f"filler {number}" for number in range(2)]
    for filler in fillers:
        _fill(filler)
        if database.is_sqlite:
            with database.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    _fill(disk / "filler 2")
    try:
        yield
    finally:
        for filler in disk.glob("filler *"):
            filler.unlink()


def _fill(path: Path) -> None:
    for piece in (1_000_000, 4096, 1):
        with suppress(OSError), path.open("ab", buffering=0) as file:
            while file.write(b"\0" * piece):
                pass


def answers(loop: Loop) -> list[str]:
    with loop.database.reading() as session:
        return sorted(session.scalars(select(Answer.person)))


@pytest.mark.slow
def test_people_are_told_and_with_free_space_everything_continues(disk: Path, database: Database) -> None:
    with running_loop(database, database) as loop:
        loop.predict("T-1", "the sofa came late", UNSURE)
        card = loop.card("the sofa came late")
        with filled(disk, database):
            click = loop.ana.click(card, "refund")
            loop.told(loop.ana, "disk is full. Nothing was recorded")
            command = loop.ben.command("/goldloop pause", channel=REVIEW)
            assert answers(loop) == []
            assert WriteCheck(loop.services).result() is Writes.DISK_FULL
        assert WriteCheck(loop.services).result() is Writes.OK
        assert click.ok
        assert click.ms < IN_TIME
        assert "disk is full. Nothing was recorded" in str(command.response)
        loop.ana.click(card, "refund")
        loop.ben.click(card, "refund")
        loop.card("*refund* (2 votes)")
        assert answers(loop) == ["U_ANA", "U_BEN"]
        with loop.database.reading() as session:
            assert session.scalars(select(Correction.tally)).one() == {"refund": 2}


def test_a_transaction_for_which_there_is_no_room_leaves_nothing(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    most = {"pages": 0}
    event.listen(
        database.engine, "begin", lambda on: on.exec_driver_sql(f"PRAGMA max_page_count={most['pages'] or 10**6}")
    )
    with database.transaction() as session:
        session.execute(text("CREATE TABLE noted (words TEXT)"))
        pages = session.scalar(text("PRAGMA page_count"))
    most["pages"] = pages + 10
    with pytest.raises(DiskFull):
        _note_much(database)
    most["pages"] = 0
    with database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM noted")) == 0
        session.execute(text("INSERT INTO noted VALUES ('with room')"))
    database.close()


def _note_much(database: Database) -> None:
    with database.transaction() as session:
        for _ in range(100):
            session.execute(text("INSERT INTO noted VALUES (:words)"), {"words": "x" * 4000})


def test_an_outage_that_hits_every_thread_is_in_the_log_once_a_minute() -> None:
    seconds = [0.0]
    seldom = Seldom(60, lambda: seconds[0])
    assert [seldom.may_say("disk_full") for _ in range(100)].count(True) == 1
    assert seldom.may_say("database_unavailable")
    seconds[0] = 61
    assert seldom.may_say("disk_full")
