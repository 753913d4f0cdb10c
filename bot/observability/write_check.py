"""A test write, which shows whether the database accepts writes. Reads succeed even if the disk is full, the server
read-only or a table locked.

On PostgreSQL, it requests the lock that a write to any table takes, without queueing for it: a probe must neither hold
up a migration nor deadlock with one.
"""

import logging
import threading
import time
from collections.abc import Callable
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.runtime.services import Services
from core.errors import DatabaseBusy, DatabaseReadOnly, DatabaseUnavailable, DiskFull
from core.records.base import Base
from core.records.leased import Lease
from core.storage.database import MIGRATION_LOCK, insert, kind_of
from core.storage.deadlines import finished_within

log = logging.getLogger(__name__)

KEPT_SECONDS = 15.0  # all probes share a result for so long
SECONDS = 1.0  # the time limit of the write
AGAIN_SECONDS = 0.1  # between two attempts within that time
BUSY_SECONDS = 60.0  # on SQLite, which does not tell who holds its only lock, Goldloop releases it within this time
ROW = "health check"  # the name of the row that is written
OURS = """SELECT 1 FROM pg_locks WHERE granted AND (
    locktype = 'advisory' AND objid = :migration OR relation = to_regclass('golden_example') AND mode = 'ShareLock'
)"""  # the locks of a migration (migrations/env.py) and of a snapshot (core/learning/data/golden.py)

# A quarter of a megabyte, which the transaction rolls back. A small row would find room on an existing page, while real
# votes need new pages.
ROOM = "CREATE TEMPORARY TABLE health_check ON COMMIT DROP AS SELECT md5(n::text) FROM generate_series(1, 4000) AS n"
MAY_TAKE_ROOM = "SELECT has_database_privilege(current_database(), 'TEMPORARY')"


class Writes(StrEnum):
    """The outcome of the test write."""

    OK = "ok"
    BUSY = "busy"  # a migration or a snapshot of Goldloop holds a lock, and will release it
    LOCKED = "locked"  # another program holds a lock
    READ_ONLY = "read_only"
    DISK_FULL = "disk_full"
    UNREACHABLE = "unreachable"
    ERROR = "error"

    @property
    def is_fine(self) -> bool:
        return self in (Writes.OK, Writes.BUSY)


class WriteCheck:
    """The test write, shared by the probes of a process. Many threads may call `result`: one of them writes, the others
    wait for its result."""

    def __init__(self, services: Services, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: counts seconds and never goes back."""
        self._services, self._clock = services, clock
        self._lock = threading.Lock()
        self._result = Writes.OK
        self._at: float | None = None
        self._busy_since: float | None = None

    def result(self) -> Writes:
        with self._lock:
            if self._at is None or self._clock() - self._at >= KEPT_SECONDS:
                self._result, self._at = self._tried(), self._clock()
            return self._result

    def _tried(self) -> Writes:
        found = self._written()
        if found is not Writes.LOCKED:
            self._busy_since = None
        elif self._is_locked_by_goldloop():
            return Writes.BUSY
        if not found.is_fine:
            log.warning("Database takes no write", extra={"reason": found.value})
        return found

    def _written(self) -> Writes:
        end = time.monotonic() + SECONDS
        while True:
            try:
                with (
                    finished_within(max(0.0, end - time.monotonic())),
                    self._services.database.transaction() as session,
                ):
                    _write(session, self._services)
            except DatabaseBusy:
                if time.monotonic() + AGAIN_SECONDS >= end:
                    return Writes.LOCKED
                time.sleep(AGAIN_SECONDS)
            except DatabaseReadOnly:
                return Writes.READ_ONLY
            except DiskFull:
                return Writes.DISK_FULL
            except DatabaseUnavailable:
                return Writes.UNREACHABLE
            except SQLAlchemyError:
                return Writes.ERROR
            else:
                return Writes.OK

    def _is_locked_by_goldloop(self) -> bool:
        database = self._services.database
        if database.is_sqlite:
            now = self._clock()
            self._busy_since = now if self._busy_since is None else self._busy_since
            return now - self._busy_since < BUSY_SECONDS
        try:
            with finished_within(SECONDS), database.reading() as session:
                return session.scalar(text(OURS), {"migration": MIGRATION_LOCK}) is not None
        except (DatabaseUnavailable, SQLAlchemyError):
            return False


def _write(session: Session, services: Services) -> None:
    if kind_of(session) == "postgresql":
        tables = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
        session.execute(text(f"LOCK TABLE {tables} IN ROW EXCLUSIVE MODE NOWAIT"))
        if session.scalar(text(MAY_TAKE_ROOM)):
            session.execute(text(ROOM))
    row = {"leased_by": services.process, "leased_until": services.clock()}
    new = insert(session, Lease).values(name=ROW, **row)
    session.execute(new.on_conflict_do_update(index_elements=["name"], set_=row))
