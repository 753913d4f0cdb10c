"""The databases that are measured: a SQLite file, and a PostgreSQL server that keeps what it has committed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from bot.runtime.migrate import migrate
from core.storage.database import Database
from tests.postgres import PostgresServer

KINDS = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Place:
    """An empty, migrated database. folder: for the files around it."""

    kind: str
    url: str
    folder: Path
    database: Database

    def analyze(self) -> None:
        """What PostgreSQL's autovacuum does by itself a while after many rows have come, and SQLite never. How far it
        came during the fill is left to chance, and decides what an index alone can answer."""
        with self.database.engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE" if self.database.is_sqlite else "VACUUM (ANALYZE)")

    def size(self) -> float:
        """On disk, in MB."""
        if self.database.is_sqlite:
            return sum(file.stat().st_size for file in self.folder.glob("goldloop.sqlite*")) / 2**20
        with self.database.reading() as session:
            return float(session.scalar(text("SELECT pg_database_size(current_database())")) or 0) / 2**20


@contextmanager
def place(kind: str) -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="goldloop-benchmark-"))
    server = PostgresServer(durable=True) if kind == "postgresql" else None
    url = server.url() if server else f"sqlite:///{folder / 'goldloop.sqlite'}"
    database = Database(url)
    try:
        migrate(database)
        yield Place(kind, url, folder, database)
    finally:
        database.close()
        if server:
            server.close()
        shutil.rmtree(folder, ignore_errors=True)
