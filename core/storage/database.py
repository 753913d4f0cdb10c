"""Transactions on SQLite and PostgreSQL: where they begin and end, and how long they may wait.

SQLite has no `FOR UPDATE`. There a transaction starts with BEGIN IMMEDIATE, so that read-then-write is safe (the
driver's own mode silently loses updates), and one lock per process queues its writers fairly. Between processes there
is no order, but waits are short. Readers get a plain BEGIN and are never blocked by a writer (WAL).

A lock, connection, statement or commit that does not answer in time becomes a refusal
(core/storage/database_errors.py)."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Engine, Executable, Insert, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from core.errors import DatabaseBusy, DatabaseUnavailable, Invalid
from core.storage import deadlines
from core.storage.announcing import is_announced
from core.storage.database_errors import BUSY, refusal_for
from core.storage.ready import CONNECTION

# Seconds that any single answer of the database may take: for a lock, the result of a statement, or a commit.
CLICK = 2.0  # a person waits: Slack gives up after 3, and a vote must not commit after that
PATIENT = 30.0  # background work: the longest time for which a dead network holds up a thread
LONG = 300.0  # reading all rows that a model learns from: a million rows over a slow line take minutes

AT_ONCE = 40  # connections in use at once; a further one waits until one is free
AWAKE_SECONDS = 0.5  # after an announced commit no worker rests for so long, so commits within it need not be announced
AGAIN_SECONDS = 0.5  # between two attempts of `retry_until_committed`
LOG_PATIENCE = 200  # milliseconds to wait for readers when the log is overwritten; writers wait as long
MIGRATION_LOCK = 4714  # PostgreSQL's advisory lock of "migrating Goldloop"; any number, the same for all
ASKED_ANEW = 1  # milliseconds for which SQLite itself waits for the lock of another process
AGAIN_AT_ONCE = 0.01  # seconds between two attempts to turn WAL on; another process needs no longer for it

T = TypeVar("T")
Begin = Callable[[Connection, int | None], None]  # the limit in milliseconds; None: the transaction reads


class Database:
    """One engine and the ways to use it. The engine itself begins no transactions: it runs in autocommit. Transactions
    begin here and not in SQLAlchemy, whose hook for it makes every statement a fifth slower. They end here too: a
    session that ends its own transaction takes 25 µs longer, half as long as an empty transaction on SQLite."""

    def __init__(self, url: str, full_sync: bool = False) -> None:
        """full_sync: on SQLite, a power cut loses no commit either; each commit then waits for the disk."""
        self.engine, self._begin, self._announce, self._on_close = _engine(url, full_sync)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._writers = threading.Lock()
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._announced_at = time.monotonic() - AWAKE_SECONDS

    @contextmanager
    def transaction(self, wait: float = CLICK, large: bool = False) -> Iterator[Session]:
        """A transaction that commits on leaving the block and rolls back on any exception. Raises DatabaseUnavailable
        if the database does not answer within `wait` seconds or cannot be reached, and DiskFull without free space;
        nothing is written then. Raises CommitOutcomeUnknown if the connection was lost during the commit: the change
        may or may not be written. large: megabytes are read or written; see `_connection`."""
        with (
            self._writing_place(wait),
            self._connection(large) as connection,
            Session(connection, expire_on_commit=False) as session,
            self._transaction(connection, session),
        ):
            yield session

    @contextmanager
    def reading(self, wait: float = CLICK, large: bool = False) -> Iterator[Session]:
        """A transaction that only reads, from one consistent snapshot; anything written in it is rolled back. Raises
        DatabaseUnavailable. wait, large: as for `transaction`."""
        with (
            deadlines.waiting_at_most(wait),
            deadlines.taken(self._places),
            _outages_refused(),
            self._connection(large) as connection,
            Session(connection) as session,
        ):
            session.info[CONNECTION] = connection
            self._begin(connection, None)
            yield session

    def retry_until_committed(self, write: Callable[[Session], T], seconds: float = PATIENT) -> T:
        """Run `write` in a transaction of its own and return its result; while the database is unavailable, try again
        for `seconds`. For outcomes whose loss would cause something to be done twice. `write` must be safe to repeat.
        Raises DatabaseUnavailable."""
        end = time.monotonic() + seconds
        while True:
            try:
                with self.transaction(wait=PATIENT) as session:
                    return write(session)
            except DatabaseUnavailable:
                if time.monotonic() >= end:
                    raise
                time.sleep(AGAIN_SECONDS)

    def write_if_needed(self, write: Callable[[Session], T], wait: float = PATIENT) -> T:
        """Run `write`, which mostly finds nothing to do, and return its result. SQLite's write lock is taken only with
        the first change, so a click seldom has to wait for it. If another connection has written meanwhile, SQLite
        refuses that change, nothing is written, and `write` runs again with the lock; so `write` must have no effect
        outside the database. Raises as `transaction` does."""
        if self.is_sqlite:
            with suppress(OperationalError):
                return self._written_if_needed(write, wait)
        with self.transaction(wait) as session:
            return write(session)

    def _written_if_needed(self, write: Callable[[Session], T], wait: float) -> T:
        with (
            deadlines.waiting_at_most(wait),
            deadlines.taken(self._places),
            Session(self.engine, expire_on_commit=False) as session,
        ):
            session.connection().exec_driver_sql(f"PRAGMA busy_timeout={ASKED_ANEW}")
            session.connection().exec_driver_sql("BEGIN")
            result = write(session)
            session.flush()
            session.commit()
            return result

    def overwrite_log(self) -> None:
        """Overwrite SQLite's log, which would otherwise keep erased rows. While another connection reads, the log stays
        as it is, because no click may wait: it is overwritten the next time, or when every process has ended."""
        if self.is_sqlite:
            with self.engine.connect() as connection:
                connection.exec_driver_sql(f"PRAGMA busy_timeout={LOG_PATIENCE}")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        self.engine.dispose()
        self._on_close()

    def _commit(self, connection: Connection, announced: bool) -> None:
        """Commit. Raises DatabaseUnavailable, with nothing written, if the request's time is already over, and
        CommitOutcomeUnknown if it ends during the commit."""
        if deadlines.is_over():
            raise DatabaseBusy(BUSY)
        announced = announced and time.monotonic() - self._announced_at >= AWAKE_SECONDS
        with _outages_refused(committing=True):
            if announced:
                self._announce(connection)
            connection.commit()
        if announced:
            self._announced_at = time.monotonic()

    @contextmanager
    def _connection(self, large: bool) -> Iterator[Connection]:
        """A connection from the pool. large: close it afterwards, because a connection keeps memory for the largest
        values that it has carried: SQLite's driver the last values of each statement, and psycopg its buffers."""
        with self.engine.connect() as connection:
            try:
                yield connection
            finally:
                if large:
                    connection.invalidate()

    @contextmanager
    def _writing_place(self, wait: float) -> Iterator[None]:
        """Hold a place among the connections and, on SQLite, the lock of this process's writers. Raises
        DatabaseBusy."""
        one_writer = deadlines.taken(self._writers) if self.is_sqlite else nullcontext()
        with deadlines.waiting_at_most(wait), one_writer, deadlines.taken(self._places), _outages_refused():
            yield

    @contextmanager
    def _transaction(self, connection: Connection, session: Session) -> Iterator[None]:
        session.info.clear()  # values of the previous transaction
        session.info[CONNECTION] = connection
        connection.begin()
        self._begin(connection, int(deadlines.for_the_server() * 1000))
        yield
        session.flush()
        self._commit(connection, is_announced(session))


class Writer:
    """Transactions of one thread, one after the other, on a connection that is kept between them. Taking a connection
    from the pool, with a session for it, and giving both back would take a tenth of the time of a single vote."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: tuple[Connection, Session] | None = None

    @contextmanager
    def transaction(self, wait: float = CLICK) -> Iterator[Session]:
        """The same as `Database.transaction`, on this connection."""
        with self._database._writing_place(wait):
            try:
                connection, session = self._kept = self._kept or self._taken()
                with self._database._transaction(connection, session):
                    yield session
                if session.in_transaction():  # if the ORM has read: the next transaction must not see its cached rows
                    session.close()
            except BaseException:
                self.release()
                raise

    @property
    def is_kept(self) -> bool:
        return self._kept is not None

    def release(self) -> None:
        """Give the connection back. To be called before a pause, in which it might die unnoticed. Safe to repeat."""
        kept, self._kept = self._kept, None
        if kept is not None:
            connection, session = kept
            session.close()
            connection.close()

    def _taken(self) -> tuple[Connection, Session]:
        connection = self._database.engine.connect()
        return connection, Session(connection, expire_on_commit=False)


def insert(session: Session, record: type[Any]) -> Any:
    """An INSERT with `on_conflict_…`. Both databases have the same syntax for it, but SQLAlchemy's core does not offer
    it."""
    return insert_for(kind_of(session), record)


def insert_for(kind: str, record: Any) -> Any:
    """The same as `insert`, for a statement that is built once and kept. kind: of database. Building a statement takes
    ten times as long as running it, which counts where a click waits. record: the table, which is quicker than the
    class."""
    chosen: Any = postgresql.insert if kind == "postgresql" else sqlite.insert
    statement: Insert = chosen(record)
    return statement


def run(session: Session, statement: Executable, values: Mapping[str, Any]) -> CursorResult[*tuple[Any, ...]]:
    """Run a kept statement about tables without the ORM, which would take twice the time; for places where a click
    waits. Unsaved objects of the session are not flushed first, and loaded objects are not updated."""
    return session.connection().execute(statement, values)


def kind_of(session: Session) -> str:
    """The kind of database: sqlite or postgresql."""
    return session.get_bind().dialect.name


def _engine(url: str, full_sync: bool) -> tuple[Engine, Begin, Callable[[Connection], None], Callable[[], None]]:
    """The engine; a function that begins a transaction; one to call before an announced commit; and one that closes the
    engine."""
    if url.startswith(("postgres://", "postgresql://")):
        url = "postgresql+psycopg://" + url.split("://", 1)[1]
    if not url.startswith(("sqlite", "postgresql+psycopg://")):
        raise Invalid(f"DATABASE_URL begins with {url.split(':', 1)[0]}:. Use postgresql://… or sqlite:///FILE.")
    if url.startswith("sqlite"):
        return _sqlite_engine(url, full_sync), _begin_sqlite, lambda _: None, lambda: None
    from core.storage import postgres  # here, so that an installation on SQLite does not load psycopg

    engine, close = postgres.postgres_engine(url, AT_ONCE)
    return engine, postgres.begin, postgres.commit_announced, close


def _sqlite_engine(url: str, full_sync: bool) -> Engine:
    engine = create_engine(
        url, connect_args={"check_same_thread": False}, pool_size=20, max_overflow=AT_ONCE, pool_use_lifo=True,
        hide_parameters=True,
    )  # fmt: skip
    event.listen(engine, "connect", partial(_prepare_sqlite, full_sync))
    return engine


def _prepare_sqlite(full_sync: bool, connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    connection.execute(f"PRAGMA busy_timeout={_sqlite_patience()}")
    _log_ahead(connection)
    connection.execute(f"PRAGMA synchronous={'FULL' if full_sync else 'NORMAL'}")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")  # overwrite erased rows; some builds of SQLite do so by default


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Turn WAL on; the file keeps this setting. If several processes turn it on for a new file, SQLite refuses at once
    despite its busy_timeout, because they could wait for each other."""
    end = time.monotonic() + _sqlite_patience() / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() >= end:
                raise
            time.sleep(AGAIN_AT_ONCE)
        else:
            return


def _begin_sqlite(connection: Connection, limit: int | None) -> None:
    """Begin a transaction. SQLite polls a lock less and less often, in the end ten times a second, and a process that
    writes without pause releases it for less than a millisecond, so another would wait for seconds. Therefore SQLite
    gives up after `ASKED_ANEW` and is asked again."""
    own: Any = connection.connection.dbapi_connection
    if limit is None:
        own.execute(f"PRAGMA busy_timeout={_sqlite_patience()}")
        connection.exec_driver_sql("BEGIN")
        return
    end = time.monotonic() + limit / 1000
    own.execute(f"PRAGMA busy_timeout={ASKED_ANEW}")
    while time.monotonic() < end:
        try:
            own.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                break
        else:
            return
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # raises SQLAlchemy's error, as everywhere else


def _sqlite_patience() -> int:
    seconds = deadlines.for_an_answer()
    return int((PATIENT if seconds is None else seconds) * 1000)


@contextmanager
def _outages_refused(committing: bool = False) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        refusal = refusal_for(error, committing)
        if refusal is None:
            raise
        raise refusal from error
