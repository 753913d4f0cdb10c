"""Database migrations, which create and upgrade the tables. Their files are at the top of the repository and in the
wheel. Alembic, which takes 12 MB and a part of the start, is loaded only if there is something to migrate."""

import logging
import re
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from core.errors import Refusal
from core.storage.database import PATIENT, Database

if TYPE_CHECKING:
    from alembic.config import Config

log = logging.getLogger(__name__)

REVISION = re.compile(r"^revision = [\"'](.+)[\"']$", re.MULTILINE)
HEAD = "head"
LONGEST = 6 * 3600.0  # seconds for one statement on PostgreSQL; an index over millions of rows takes long
UNRELEASED = frozenset(f"{number:04}" for number in range(1, 12))  # revisions that no release ever had
NO_UPGRADE = (
    "The database belongs to a development version of Goldloop (schema {}) and cannot be upgraded. "
    "Set DATABASE_URL to a new database, then run `goldloop migrate`."
)


class Tables(Enum):
    """The state of the tables, compared with this release, which can use the tables of a newer one: a newer release
    only adds to them."""

    MISSING = "missing"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"
    UNRELEASED = "unreleased"  # made by a development version, from which there is no upgrade


def migrations_folder() -> Path:
    """The folder of the migrations: next to the code in a checkout, inside the package when installed."""
    package = Path(__file__).resolve().parents[2]
    installed = package / "core" / "migrations"
    return installed if installed.is_dir() else package / "migrations"


def migrate(database: Database, revision: str = HEAD) -> None:
    """Create or upgrade the tables. Safe to repeat, and to run in several processes at once. The tables of a newer
    release stay as they are. Raises DatabaseUnavailable if the database does not answer or, on SQLite, stays locked,
    and Refusal for a database of a development version."""
    wait = PATIENT if database.is_sqlite else LONGEST  # SQLite only waits for other writers
    with database.transaction(wait) as session:
        connection = session.connection()
        tables, present = tables_there(connection)
        if tables is Tables.UNRELEASED:
            raise Refusal(NO_UPGRADE.format(present))
        if tables is Tables.NEWER:
            log.warning(
                "Database is from a newer release", extra={"schema": present, "newest_known": newest_revision()}
            )
            return
        if tables is Tables.CURRENT and revision in (HEAD, present):
            return
        from alembic import command

        command.upgrade(alembic_config(connection), revision)


def newest_revision() -> str:
    return _revisions()[-1]


def tables_there(connection: Connection) -> tuple[Tables, str]:
    """The state of the tables, and their revision; empty if there are none."""
    present = _present_revision(connection)
    if not present:
        return Tables.MISSING, present
    if present == newest_revision():
        return Tables.CURRENT, present
    if present in UNRELEASED:
        return Tables.UNRELEASED, present
    return Tables.OLDER if present in _revisions() else Tables.NEWER, present


def _present_revision(connection: Connection) -> str:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return ""
    return str(connection.scalar(text("SELECT version_num FROM alembic_version")) or "")


def _revisions() -> list[str]:
    """The revisions, the oldest first."""
    files = sorted((migrations_folder() / "versions").glob("[0-9]*.py"))
    return [name for file in files for name in REVISION.findall(file.read_text(encoding="utf-8"))]


def alembic_config(connection: object) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
