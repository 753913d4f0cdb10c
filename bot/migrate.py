"""Brings the tables up to date. The migrations stand at the top of the repository and travel inside the wheel."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from core.database import PATIENT, Database

HEAD = "head"
LONGEST = 6 * 3600.0  # seconds for one statement on PostgreSQL: an index over millions of rows


def migrations_folder() -> Path:
    """Beside the code in a checkout, inside the package when installed."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "core" / "migrations"
    return installed if installed.is_dir() else package / "migrations"


def migrate(database: Database, revision: str = HEAD) -> None:
    """Safe to run from several processes at once and again at any time. Raises Busy if the database does not answer, or
    on SQLite if somebody else goes on writing."""
    wait = PATIENT if database.is_sqlite else LONGEST  # SQLite waits only until nobody else writes
    with database.transaction(wait) as session:
        command.upgrade(alembic_config(session.connection()), revision)


def alembic_config(connection: object) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
