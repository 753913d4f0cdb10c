"""Real databases: each test gets its own, built by the migrations, on SQLite and on PostgreSQL."""

import gc
import itertools
import logging
import os
import re
import shutil
import socket
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import certifi
import psycopg
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Connection, create_engine, make_url, text

from bot.runtime.migrate import migrate
from core.storage.database import Database
from tests.postgres import PostgresServer

_numbers = itertools.count()

# A loaded machine is slow, which is no fault of what is tried.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


SLOW_SECONDS = 2.0  # from which on a test is marked `slow`
_seconds: dict[str, float] = defaultdict(float)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """With its set-up; what is made once for many tests counts for the first of them."""
    if "slow" not in report.keywords and report.when != "teardown":
        _seconds[report.nodeid] += report.duration


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Said and no more: on a busy machine many a test is slow for once."""
    slow = sorted(((seconds, name) for name, seconds in _seconds.items() if seconds > SLOW_SECONDS), reverse=True)
    if slow:
        terminalreporter.section(f"over {SLOW_SECONDS:g} seconds without being marked slow")
    for seconds, name in slow:
        terminalreporter.write_line(f"{seconds:5.1f} s {name}")


def pytest_collection_finish() -> None:
    """Thousands of tests and a hundred modules stay until the end: the collector need not look at them each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Each HTTP client reads all authorities, which takes 50 ms; the tests speak to this machine, in the clear."""
    end = "-----END CERTIFICATE-----\n"
    path = tmp_path_factory.mktemp("authorities") / "one.pem"
    path.write_text(Path(certifi.where()).read_text("utf-8").partition(end)[0] + end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(path))
        patch.setenv("SSL_CERT_DIR", str(path.parent))
        yield


@pytest.fixture(scope="session", autouse=True)
def _locks_name_their_table() -> Iterator[None]:
    """A lock that names none takes the rows of every table joined to it, a queue's among them. Asked of the driver:
    while something listens to SQLAlchemy's events, ready statements go another way (core/storage/ready.py)."""
    execute = psycopg.Cursor.execute

    def checked(cursor: Any, statement: Any, *more: Any, **options: Any) -> Any:
        unnamed = re.search(r"JOIN .* FOR (NO KEY UPDATE|UPDATE|KEY SHARE|SHARE)(?! OF)", str(statement), re.DOTALL)
        assert not unnamed, f"this locks the joined tables, too: {statement}"
        return execute(cursor, statement, *more, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", checked)
        yield


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """A program that a test runs in this process says where its log goes: to a stream that ends with the test."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in set(root.handlers) - set(handlers):
        root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "goldloop.sqlite"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.fixture(scope="session")
def postgres_server_url() -> Iterator[str]:
    """The address of a server on which databases may be made."""
    if os.environ.get("TEST_DATABASE_URL"):
        yield os.environ["TEST_DATABASE_URL"]
        return
    server = PostgresServer()
    try:
        yield server.url()
    finally:
        server.close()


@pytest.fixture(scope="session")
def postgres_server(postgres_server_url: str) -> Iterator[Connection]:
    """On which databases are made: one connection for all, as each new one takes as long as a new database."""
    driver = make_url(postgres_server_url).set(drivername="postgresql+psycopg")
    engine = create_engine(driver, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Connection, postgres_server_url: str) -> str:
    name = f"goldloop_template_{os.getpid()}"
    postgres_server.execute(text(f"DROP DATABASE IF EXISTS {name}"))
    postgres_server.execute(text(f"CREATE DATABASE {name}"))
    database = Database(_named(postgres_server_url, name))
    migrate(database)
    database.close()
    return name


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'goldloop.sqlite')}"


@pytest.fixture
def postgres_url(postgres_server: Connection, postgres_server_url: str, postgres_template: str) -> Iterator[str]:
    name = f"goldloop_test_{os.getpid()}_{next(_numbers)}"
    postgres_server.execute(text(f"CREATE DATABASE {name} TEMPLATE {postgres_template} STRATEGY file_copy"))
    yield _named(postgres_server_url, name)
    postgres_server.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that uses a database runs on both, unless it (or its module) says `sqlite_only`. On PostgreSQL, one with a
    database of its own is slow: to make it takes longer than most of what is tried."""
    if "database_kind" in metafunc.fixturenames:
        marks = [pytest.mark.slow] if "database_of_its_own" in metafunc.fixturenames else []
        both = ["sqlite", pytest.param("postgresql", marks=marks)]
        kinds = both[:1] if "sqlite_only" in metafunc.fixturenames else both
        metafunc.parametrize("database_kind", kinds, scope="function")


@pytest.fixture
def sqlite_only() -> None:
    """For what cannot depend on the database."""


@pytest.fixture
def database_of_its_own() -> None:
    """For what no other test may have used. The folders that share databases (tests/core/conftest.py) go without."""


@pytest.fixture
def database_url(database_kind: str, database_of_its_own: None, request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue("sqlite_url" if database_kind == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


def _named(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
