"""The same desk as in tests/core."""

from tests.core.conftest import (
    database,
    database_url,
    desk,
    open_desk,
    open_on_postgresql,
    postgresql_database,
    sqlite_database,
)

__all__ = [
    "database",
    "database_url",
    "desk",
    "open_desk",
    "open_on_postgresql",
    "postgresql_database",
    "sqlite_database",
]
