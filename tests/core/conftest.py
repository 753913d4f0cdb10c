"""The desk of these tests, and their databases: one of each kind, which every test finds empty.

There are four hundred of these tests, and those of the API, the flows, privacy and security do the same. A new database
and a new engine for each (which compiles every statement anew) took five times as long as all that they do. What a test
commits, with any number of threads, is gone before the next.
"""

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, make_url, text

from core.records import Base
from core.storage.database import PATIENT, Database
from tests.core.desk import Desk, opened
from tests.people import support_policy

OpenDesk = Callable[..., Desk]

_numbers = itertools.count()  # each folder that has these fixtures has a database of its own


@pytest.fixture(scope="session")
def sqlite_database(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(f"sqlite:///{shutil.copy(sqlite_template, tmp_path_factory.mktemp('core'))}")
    yield database
    database.close()


@pytest.fixture(scope="session")
def postgresql_database(
    postgres_server: Connection, postgres_server_url: str, postgres_template: str
) -> Iterator[Database]:
    name = f"goldloop_core_{os.getpid()}_{next(_numbers)}"
    postgres_server.execute(text(f"CREATE DATABASE {name} TEMPLATE {postgres_template}"))
    database = Database(make_url(postgres_server_url).set(database=name).render_as_string(hide_password=False))
    yield database
    database.close()
    postgres_server.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def database(database_kind: str, request: pytest.FixtureRequest) -> Database:
    database: Database = request.getfixturevalue(f"{database_kind}_database")
    _empty(database)
    database.engine._has_events = False  # stays true after a listener is removed, and statements would go another way
    return database


@pytest.fixture
def database_url(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


def _empty(database: Database) -> None:
    """Ids begin at 1 again, on SQLite by themselves. TRUNCATE would write new files for each of the tables."""
    tables = list(reversed(Base.metadata.sorted_tables))
    statements = [f'DELETE FROM "{table.name}"' for table in tables]
    if not database.is_sqlite:
        counted = [table.name for table in tables if "id" in table.columns]
        statements += [f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), 1, false)" for name in counted]
        statements = ["; ".join(statements)]
    with database.transaction(wait=PATIENT) as session:
        for statement in statements:
            session.connection().exec_driver_sql(statement)


@pytest.fixture
def open_desk(database: Database) -> OpenDesk:
    """A desk under the tests' policy, with these sections laid over it."""

    def open_(**sections: object) -> Desk:
        return opened(database, support_policy(**sections))

    return open_


@pytest.fixture
def open_on_postgresql(postgresql_database: Database) -> OpenDesk:
    """For what only its transactions can do to one another: SQLite's go one after the other."""
    _empty(postgresql_database)
    return lambda **sections: opened(postgresql_database, support_policy(**sections))


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    return open_desk()
