"""The database of an operator's command: there, and with the tables of this release."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from bot.runtime.migrate import START_AFRESH, Tables, tables_there
from core.errors import Refusal
from core.storage.database import Database


@contextmanager
def open_database(url: str, full_sync: bool = False, make_tables: bool = False) -> Iterator[Database]:
    """Raises Refusal, as above."""
    file = sqlite_file(url)
    if not make_tables and file is not None and not file.exists():
        raise Refusal(f"There is no database {file}. Go to its folder, set DATABASE_URL, or run `goldloop migrate`.")
    database = Database(url, full_sync)
    try:
        if not make_tables:
            _require_tables(database)
        yield database
    finally:
        database.close()


def sqlite_file(url: str) -> Path | None:
    """Where the database is one file."""
    name = make_url(url).database if url.startswith("sqlite") else None
    return None if name in (None, "", ":memory:") else Path(str(name)).absolute()


def _require_tables(database: Database) -> None:
    with database.reading() as session:
        tables, present = tables_there(session.connection())
    if tables is Tables.MISSING:
        raise Refusal("There are no tables in the database yet. Run `goldloop migrate`.")
    if tables is Tables.OLDER:
        raise Refusal(f"The database is of an older release ({present}). Make a back-up, then run `goldloop migrate`.")
    if tables is Tables.UNRELEASED:
        raise Refusal(START_AFRESH.format(present))
