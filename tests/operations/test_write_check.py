"""The write of the health checks: its result for a full, locked or read-only database; probes share it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import httpx
import pytest
from sqlalchemy import select, text

from bot.observability.liveness import Liveness
from bot.observability.write_check import KEPT_SECONDS, ROW, WriteCheck, Writes
from bot.runtime.services import Services, assemble, slack_client
from bot.server.app import create_listener
from bot.server.listener import listening
from core.errors import DatabaseReadOnly
from core.learning.data.golden import closed_golden_set
from core.records.leased import Lease
from core.storage.database import MIGRATION_LOCK, Database
from tests.people import support_policy
from tests.reliability.test_sqlite_locked import held


def services_on(database: Database) -> Services:
    return assemble(database, slack_client("xoxb-none", "http://127.0.0.1:1/api/"), support_policy())


def written_at(database: Database) -> object:
    with database.reading() as session:
        return session.scalar(select(Lease.leased_until).where(Lease.name == ROW))


def test_probes_share_one_write_for_fifteen_seconds(database: Database) -> None:
    now = [0.0]
    check = WriteCheck(services_on(database), lambda: now[0])
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: check.result(), range(16))) == {Writes.OK}
    first = written_at(database)
    now[0] = KEPT_SECONDS - 1
    check.result()
    assert written_at(database) == first
    now[0] = KEPT_SECONDS
    check.result()
    assert written_at(database) != first


@pytest.mark.slow
def test_sqlites_lock_is_busy_for_a_minute_and_then_locked(sqlite_url: str) -> None:
    database, now = Database(sqlite_url), [0.0]
    check = WriteCheck(services_on(database), lambda: now[0])
    with held(database):
        assert check.result() is Writes.BUSY
        now[0] = 61
        assert check.result() is Writes.LOCKED
    now[0] = 80
    assert check.result() is Writes.OK
    database.close()


@contextmanager
def locked(database: Database, *statements: str) -> Iterator[None]:
    """In a transaction of another program."""
    with database.engine.connect() as other:
        other.exec_driver_sql("BEGIN")
        for statement in statements:
            other.execute(text(statement))
        yield
        other.exec_driver_sql("ROLLBACK")


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Database]:
    made = Database(postgres_url)
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.parametrize("table", ["answer", "posting", "lease", "golden_example"])
def test_a_table_locked_by_another_program_is_reported(postgres: Database, table: str) -> None:
    with locked(postgres, f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"):
        assert WriteCheck(services_on(postgres)).result() is Writes.LOCKED
    assert WriteCheck(services_on(postgres)).result() is Writes.OK


@pytest.mark.slow
def test_a_migration_of_ours_is_busy(postgres: Database) -> None:
    ours = f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"
    with locked(postgres, ours, "LOCK TABLE posting IN ACCESS EXCLUSIVE MODE"):
        assert WriteCheck(services_on(postgres)).result() is Writes.BUSY


@pytest.mark.slow
def test_a_snapshot_of_ours_is_busy(postgres: Database) -> None:
    with postgres.engine.connect(), postgres.engine.connect():
        pass  # two are open from here on: to connect may take a busy machine longer than the check has
    with postgres.transaction() as session:
        closed_golden_set(session, 1)
        assert WriteCheck(services_on(postgres)).result() is Writes.BUSY


def set_read_only(database: Database, on: bool) -> None:
    elsewhere = database.engine.url.set(database="postgres").render_as_string(hide_password=False)
    with closing(Database(elsewhere)) as other, other.engine.connect() as connection:
        name, value = database.engine.url.database, "on" if on else "off"
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {value}')


@pytest.mark.slow
def test_a_read_only_server_is_an_outage_that_ends_without_a_restart(postgres: Database, unused_port: int) -> None:
    set_read_only(postgres, True)
    services = services_on(postgres)
    with listening(create_listener(services, Liveness(), api=False), "127.0.0.1", unused_port):
        ready = httpx.get(f"http://127.0.0.1:{unused_port}/health/ready")
        metrics = httpx.get(f"http://127.0.0.1:{unused_port}/metrics").text
    assert (ready.status_code, ready.json()["database"]["ok"], ready.json()["database"]["writes"]) == (
        503, False, "read_only",
    )  # fmt: skip
    assert "goldloop_database_up 0.0" in metrics
    with pytest.raises(DatabaseReadOnly, match="Nothing was recorded"), postgres.transaction() as session:
        session.execute(text("DELETE FROM lease"))
    set_read_only(postgres, False)
    assert WriteCheck(services).result() is Writes.OK
