"""The same desk as in tests/core."""

from collections.abc import Iterator

import pytest

from core.storage.database import Database
from tests.core.conftest import OpenDesk, desk, open_desk
from tests.core.desk import opened
from tests.people import support_policy

__all__ = ["desk", "open_desk"]


@pytest.fixture
def open_on_postgresql(postgres_url: str) -> Iterator[OpenDesk]:
    """For what only its transactions can do to one another: SQLite's go one after the other."""
    database = Database(postgres_url)
    yield lambda **sections: opened(database, support_policy(**sections))
    database.close()
