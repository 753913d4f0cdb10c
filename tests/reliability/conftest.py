"""A database behind a proxy with faults (proxy.py), and a Goldloop whose time the test sets."""

from collections.abc import Iterator

import pytest
from sqlalchemy import make_url

from core.storage.database import Database
from tests.reliability.proxy import Proxy
from tests.reliability.slow_motion import Stage, staged


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[Proxy]:
    """The way to a database of PostgreSQL that is this test's own."""
    address = make_url(postgres_url)
    way = Proxy(str(address.host), address.port or 5432)
    yield way
    way.close()


@pytest.fixture
def shaky(proxy: Proxy, postgres_url: str) -> Iterator[Database]:
    """The database by that way."""
    database = Database(at_port(postgres_url, proxy.port))
    yield database
    database.close()


@pytest.fixture
def straight(postgres_url: str) -> Iterator[Database]:
    """The same one, for the test to look into."""
    database = Database(postgres_url)
    yield database
    database.close()


@pytest.fixture
def stage(database: Database) -> Iterator[Stage]:
    with staged(database) as made:
        yield made


def at_port(url: str, port: int) -> str:
    return make_url(url).set(port=port).render_as_string(hide_password=False)
