"""Connections to PostgreSQL with a deadline for every wait (core/storage/deadlines.py).

The server's own time-outs do not work when the network drops all packets: neither they nor TCP notice for minutes.
Therefore the one place where psycopg waits looks at the clock, and connecting (which includes name look-ups) is done by
threads that can be abandoned."""

import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from core.storage import deadlines
from core.storage.announcing import CHANNEL
from core.storage.database_errors import READ_ONLY
from core.storage.ready import driver_errors

CONNECT_SECONDS = 5  # an attempt to connect ends after this time
LOOK_SECONDS = 0.05  # how often a waiting thread looks at the clock

POOLED = 20  # connections that stay open
IDLE_SECONDS = 1.0  # tested if unused for longer: the test takes a round trip, for which a click waits
USED = "used"
LIMITED = "BEGIN; SET LOCAL statement_timeout = {}; SET LOCAL idle_in_transaction_session_timeout = {}"
ANNOUNCED = f"NOTIFY {CHANNEL}; COMMIT"

T = TypeVar("T")


class NoAnswer(psycopg.OperationalError):
    """The server, or the network, did not answer in time."""


class PromptConnection(psycopg.Connection[Any]):
    """A connection that is closed when an answer does not come in time: a late answer would be taken for that to the
    next statement."""

    def wait(self, gen: Generator[Any, Any, T], *arguments: Any, **more: Any) -> T:
        """Wait as psycopg does, until the deadline. Raises NoAnswer."""
        seconds = deadlines.for_an_answer()
        if seconds is None:
            return super().wait(gen, *arguments, **more)
        try:
            return super().wait(_until_deadline(time.monotonic() + seconds, gen), interval=LOOK_SECONDS)
        except NoAnswer:
            self.close()
            raise


class Connector:
    """Makes connections for SQLAlchemy (its event `do_connect`)."""

    def __init__(self, at_once: int) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="connect")

    def __call__(self, _dialect: Any, _record: Any, arguments: list[Any], parameters: dict[str, Any]) -> Any:
        """A new connection. Raises NoAnswer, or psycopg's own errors. A connection that is made too late is closed."""
        limited = parameters | {"connect_timeout": CONNECT_SECONDS}
        connecting = self._threads.submit(PromptConnection.connect, *arguments, **limited)
        try:
            return connecting.result(deadlines.for_a_connection())
        except TimeoutError:
            if not connecting.cancel():
                connecting.add_done_callback(_close)
            raise NoAnswer("no connection in time") from None

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def postgres_engine(url: str, at_once: int) -> tuple[Engine, Callable[[], None]]:
    """An engine with at most so many connections in use, and a function to call when it is no longer needed."""
    engine = create_engine(url, pool_size=POOLED, max_overflow=at_once, pool_use_lifo=True, hide_parameters=True)
    connector = Connector(at_once)
    event.listen(engine, "do_connect", connector)
    _disable_driver_begin(engine)
    _test_idle_connections(engine)
    _drop_read_only(engine)
    return engine, connector.close


def begin(connection: Connection, limit: int | None) -> None:
    """Begin a transaction. Its settings are sent in the same message, because another round trip would take as long
    again. The server ends a transaction that takes longer than `limit` milliseconds, or whose client is silent:
    otherwise, a client cut off by a dead network would keep its rows locked for hours. limit None: a reading
    transaction, which sees everything as of its first read."""
    statement = "BEGIN ISOLATION LEVEL REPEATABLE READ" if limit is None else LIMITED.format(limit, limit + 1000)
    own: Any = connection.connection.dbapi_connection
    with driver_errors(connection, None, statement):
        own.execute(statement, prepare=False)  # PostgreSQL can prepare single statements only


def commit_announced(connection: Connection) -> None:
    """Send NOTIFY and COMMIT in one message, because another round trip would take as long again. SQLAlchemy has
    nothing to commit then."""
    own: Any = connection.connection.dbapi_connection
    with driver_errors(connection, None, ANNOUNCED):
        own.execute(ANNOUNCED, prepare=False)


def _disable_driver_begin(engine: Engine) -> None:
    """Keep psycopg from sending BEGIN by itself."""

    def leave_it(connection: Any, _record: ConnectionPoolEntry) -> None:
        connection.autocommit = True

    event.listen(engine, "connect", leave_it)


def _test_idle_connections(engine: Engine) -> None:
    """Test a connection before it is handed out if it was not used for a while: it may be dead."""

    def note(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[USED] = time.monotonic()

    def look(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        if time.monotonic() - record.info.get(USED, 0.0) < IDLE_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg.Error as error:
            raise InvalidatePoolError("the connection has died") from error

    event.listen(engine, "connect", note)
    event.listen(engine, "checkin", note)
    event.listen(engine, "checkout", look)


def _drop_read_only(engine: Engine) -> None:
    """Close connections to a server that has become read-only: after a change of the primary, they would be kept for
    ever. New connections go to the address's current server."""

    def look(context: ExceptionContext) -> None:
        if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
            context.is_disconnect = True

    event.listen(engine, "handle_error", look)


def _until_deadline(end: float, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
    """Wait for the socket as `gen` asks, until `end`. Data that has arrived by then is still processed."""
    try:
        wanted = next(gen)
        while True:
            wanted = gen.send((yield wanted))
            if time.monotonic() >= end:
                raise NoAnswer("no answer in time")
    except StopIteration as done:
        result: T = done.value
        return result


def _close(connecting: Future[PromptConnection]) -> None:
    if not connecting.cancelled() and connecting.exception() is None:
        connecting.result().close()
