"""Brings the tables up to date. The migrations stand at the top of the repository and travel inside the wheel."""

import logging
from enum import Enum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from core.errors import Refusal
from core.storage.database import PATIENT, Database

log = logging.getLogger(__name__)

HEAD = "head"
LONGEST = 6 * 3600.0  # seconds for one statement on PostgreSQL: an index over millions of rows
UNRELEASED = frozenset(f"{number:04}" for number in range(1, 12))  # revisions that no release ever had
START_AFRESH = (
    "The database was made by a development version of Goldloop (schema {}), from which there is no upgrade. "
    "Set DATABASE_URL to a new database, then run `goldloop migrate`."
)


class Tables(Enum):
    """Beside what this release makes. Those of a newer one are good for this one too: it only added to them."""

    MISSING = "missing"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"
    UNRELEASED = "unreleased"  # made while Goldloop was still in development; nothing leads from there to here


def migrations_folder() -> Path:
    """Beside the code in a checkout, inside the package when installed."""
    package = Path(__file__).resolve().parents[2]
    installed = package / "core" / "migrations"
    return installed if installed.is_dir() else package / "migrations"


def migrate(database: Database, revision: str = HEAD) -> None:
    """Safe to run from several processes at once and again at any time. Raises Busy if the database does not answer, or
    on SQLite if somebody else goes on writing, and Refusal for a database of a development version. The tables of a
    newer release stay as they are."""
    wait = PATIENT if database.is_sqlite else LONGEST  # SQLite waits only until nobody else writes
    with database.transaction(wait) as session:
        connection = session.connection()
        tables, present = tables_there(connection)
        if tables is Tables.UNRELEASED:
            raise Refusal(START_AFRESH.format(present))
        if tables is Tables.NEWER:
            log.warning("the database is of a newer release", extra={"at": present, "newest_here": newest_revision()})
            return
        command.upgrade(alembic_config(connection), revision)


def newest_revision() -> str:
    return str(ScriptDirectory.from_config(alembic_config(None)).get_current_head())


def tables_there(connection: Connection) -> tuple[Tables, str]:
    """And at which revision they are; empty where there are none."""
    present = MigrationContext.configure(connection).get_current_revision() or ""
    if not present:
        return Tables.MISSING, present
    if present == newest_revision():
        return Tables.CURRENT, present
    if present in UNRELEASED:
        return Tables.UNRELEASED, present
    known = {revision.revision for revision in ScriptDirectory.from_config(alembic_config(None)).walk_revisions()}
    return Tables.OLDER if present in known else Tables.NEWER, present


def alembic_config(connection: object) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
