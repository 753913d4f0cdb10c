"""What a transaction is on either database: where it begins, what ends it, what a reader sees."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.pool import QueuePool

from core.errors import DatabaseUnavailable
from core.records.reviews import Reviewer
from core.storage.announcing import announce, is_announced
from core.storage.database import CLICK, Database, Writer
from core.storage.postgres import IDLE_SECONDS
from tests.core.desk import NOW


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url)
    yield database
    database.close()


def reviewers(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Reviewer)) or 0


def test_a_reader_sees_everything_as_it_was_at_the_first_look(database: Database) -> None:
    with database.reading() as session:
        counting = select(func.count()).select_from(Reviewer)
        assert session.scalar(counting) == 0
        with database.transaction() as other:
            other.add(Reviewer(person="U_ANA"))
        assert session.scalar(counting) == 0
    assert reviewers(database) == 1


def test_a_writer_keeps_its_connection_until_it_is_released(database: Database) -> None:
    writer, pool = Writer(database), cast(QueuePool, database.engine.pool)
    for person in ("U_ANA", "U_BEN"):
        with writer.transaction() as session:
            session.add(Reviewer(person=person))
    assert (reviewers(database), writer.is_kept, pool.checkedout()) == (2, True, 1)
    writer.release()
    assert (writer.is_kept, pool.checkedout()) == (False, 0)


def test_a_writer_reads_anew_in_each_transaction(database: Database) -> None:
    writer, known = Writer(database), Reviewer(person="U_ANA")  # which the session remembers as long as we hold it
    with writer.transaction() as session:
        session.add(known)
    with database.transaction() as session:
        session.get_one(Reviewer, "U_ANA").paused_at = NOW
    with writer.transaction() as session:
        assert session.get_one(Reviewer, "U_ANA").paused_at == NOW
    writer.release()


def test_a_transaction_of_a_writer_is_announced_for_itself_alone(database: Database) -> None:
    writer = Writer(database)
    with writer.transaction() as session:
        announce(session)
    with writer.transaction() as session:
        assert not is_announced(session)
    writer.release()


def test_after_an_error_a_writer_has_written_nothing_and_goes_on_with_another_connection(database: Database) -> None:
    writer = Writer(database)
    with suppress(ZeroDivisionError), writer.transaction() as session:
        session.add(Reviewer(person="U_ANA"))
        session.flush()
        raise ZeroDivisionError
    assert not writer.is_kept
    with writer.transaction() as session:
        session.add(Reviewer(person="U_BEN"))
    writer.release()
    assert reviewers(database) == 1


def test_what_a_reader_writes_is_lost(database: Database) -> None:
    with database.reading() as session:
        session.add(Reviewer(person="U_ANA"))
        session.flush()
    assert reviewers(database) == 0


@pytest.mark.parametrize(("full_sync", "waits_for"), [(True, 2), (False, 1)])  # 2: FULL; 1: NORMAL
def test_each_commit_waits_for_the_disk_where_it_is_wanted(full_sync: bool, waits_for: int, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'goldloop.sqlite'}", full_sync)
    with database.reading() as session:
        assert session.scalar(text("PRAGMA synchronous")) == waits_for
    database.close()


def test_the_server_gives_up_when_we_do_and_where_it_hears_nothing_of_us(postgres: Database) -> None:
    with postgres.transaction() as session:
        limits = [
            session.scalar(text(f"SELECT setting FROM pg_settings WHERE name = '{name}_timeout'"))
            for name in ("statement", "idle_in_transaction_session")
        ]
    assert [int(str(limit)) / 1000 for limit in limits] == pytest.approx([CLICK, CLICK + 1], abs=0.01)
    with postgres.reading() as session:
        assert session.scalar(text("SHOW statement_timeout")) == "0", "limits end with their transaction"


@pytest.mark.slow
def test_a_connection_that_died_is_refused_once_at_most_and_never_after_a_pause(postgres: Database) -> None:
    cut_off(postgres)
    with pytest.raises(DatabaseUnavailable, match="Nothing was recorded"):
        reviewers(postgres)
    assert reviewers(postgres) == 0
    cut_off(postgres)
    time.sleep(IDLE_SECONDS)
    assert reviewers(postgres) == 0


def cut_off(database: Database) -> None:
    """Close every connection of ours but the one that does it, from the server's side."""
    reviewers(database)
    killer = Database(database.engine.url.render_as_string(hide_password=False))
    others = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = current_database()"
    with killer.reading() as session:
        assert session.scalar(text(f"{others} AND pid <> pg_backend_pid()")) == 1
    killer.close()


def test_a_connection_that_has_carried_much_is_closed_and_what_it_wrote_is_stored(database: Database) -> None:
    closed: list[object] = []
    event.listen(database.engine, "close", lambda connection, _record: closed.append(connection))
    with database.transaction() as session:
        session.execute(text("CREATE TABLE carried (content TEXT)"))
    with database.reading() as session:
        session.execute(text("SELECT 1"))
    assert closed == []
    with database.transaction(large=True) as session:
        session.execute(text("INSERT INTO carried VALUES ('much')"))
    assert len(closed) == 1
    with database.reading(large=True) as session:
        assert session.scalar(text("SELECT content FROM carried")) == "much"
    assert len(closed) == 2
    with suppress(ZeroDivisionError), database.transaction(large=True) as session:
        session.execute(text("DELETE FROM carried"))
        raise ZeroDivisionError
    assert len(closed) == 3
    with database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM carried")) == 1
