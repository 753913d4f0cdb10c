"""The database for an operator's command, which must exist and have the tables of this release."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from bot.runtime.migrate import NO_UPGRADE, Tables, tables_there
from core.errors import Refusal
from core.storage.database import Database


@contextmanager
def open_database(url: str, full_sync: bool = False, make_tables: bool = False) -> Iterator[Database]:
    """Open the database, and close it afterwards. Raises Refusal if it or its tables are missing or out of date."""
    file = sqlite_file(url)
    if not make_tables and file is not None and not file.exists():
        raise Refusal(
            f"There is no database {file}. Change to its folder, set DATABASE_URL, or run `goldloop migrate`."
        )
    database = Database(url, full_sync)
    try:
        if not make_tables:
            _require_tables(database)
        yield database
    finally:
        database.close()


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite database; None for a server or an in-memory database."""
    name = make_url(url).database if url.startswith("sqlite") else None
    return None if name in (None, "", ":memory:") else Path(str(name)).absolute()


def _require_tables(database: Database) -> None:
    with database.reading() as session:
        tables, present = tables_there(session.connection())
    if tables is Tables.MISSING:
        raise Refusal("The database has no tables yet. Run `goldloop migrate`.")
    if tables is Tables.OLDER:
        raise Refusal(f"The database is from an older release ({present}). Make a backup, then run `goldloop migrate`.")
    if tables is Tables.UNRELEASED:
        raise Refusal(NO_UPGRADE.format(present))
