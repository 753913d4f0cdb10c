"""Where transactions begin and end, on SQLite and on PostgreSQL.

SQLite has no `FOR UPDATE`. There a transaction starts with BEGIN IMMEDIATE, so that read-then-write is safe (the
driver's own mode silently loses updates), and one lock per process queues its writers fairly (SQLite's busy handler is
not fair). Readers get a plain BEGIN and are never blocked by a writer (WAL).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, Insert, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from core.errors import Busy, Invalid

CLICK = 2.0  # seconds a click waits for a lock: Slack gives up after 3, and a vote must not commit after that
PATIENT = 30.0  # seconds that background work waits

BUSY_SENTENCE = "Goldloop's database is busy. Nothing was recorded; please try again in a moment."


class Database:
    """One engine and the two ways to use it."""

    def __init__(self, url: str, full_sync: bool = False) -> None:
        """full_sync: on SQLite, lose no commit in a power cut either; writing takes about four times as long."""
        self.engine = _engine(url, full_sync)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._writers = threading.Lock()

    @contextmanager
    def transaction(self, wait: float = CLICK) -> Iterator[Session]:
        """Commits on leaving the block, rolls back on any exception. Raises Busy if a lock cannot be had within `wait`
        seconds; then nothing was written."""
        if self.is_sqlite and not self._writers.acquire(timeout=wait):
            raise Busy(BUSY_SENTENCE)
        try:
            with _busy_means_busy(), Session(self.engine, expire_on_commit=False) as session:
                self._limit_waiting(session, wait)
                yield session
                session.commit()
        finally:
            if self.is_sqlite:
                self._writers.release()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A consistent view; what is written in it is lost."""
        with _busy_means_busy(), Session(self.engine, execution_options={"readonly": True}) as session:
            yield session

    def close(self) -> None:
        self.engine.dispose()

    def _limit_waiting(self, session: Session, wait: float) -> None:
        milliseconds = int(wait * 1000)
        if self.is_sqlite:
            session.connection(execution_options={"busy_timeout": milliseconds})
        else:
            session.execute(text(f"SET LOCAL lock_timeout = {milliseconds}"))


def insert(session: Session, record: type[Any]) -> Any:
    """An INSERT that knows `on_conflict_…`: spelled alike by both databases, but not in SQLAlchemy's core."""
    chosen: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement: Insert = chosen(record)
    return statement


def _engine(url: str, full_sync: bool) -> Engine:
    if url.startswith(("postgres://", "postgresql://")):
        url = "postgresql+psycopg://" + url.split("://", 1)[1]
    if not url.startswith(("sqlite", "postgresql+psycopg://")):
        raise Invalid(f"DATABASE_URL begins with {url.split(':', 1)[0]}:. Use postgresql://… or sqlite:///FILE.")
    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"check_same_thread": False}, pool_size=20, max_overflow=30)
        event.listen(engine, "connect", partial(_prepare_sqlite, full_sync))
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(url, pool_pre_ping=True, pool_size=20, max_overflow=20, connect_args={"connect_timeout": 5})


def _prepare_sqlite(full_sync: bool, connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in (
        f"busy_timeout={int(PATIENT * 1000)}",  # first: the next one may have to wait for another process
        "journal_mode=WAL",
        f"synchronous={'FULL' if full_sync else 'NORMAL'}",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("readonly"):
        connection.exec_driver_sql("BEGIN")
        return
    connection.exec_driver_sql(f"PRAGMA busy_timeout={options.get('busy_timeout', int(PATIENT * 1000))}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def _busy_means_busy() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if _is_lock_timeout(error):
            raise Busy(BUSY_SENTENCE) from error
        raise


def _is_lock_timeout(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) == "55P03" or "database is locked" in str(error.orig)
