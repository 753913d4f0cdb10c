"""Database errors: an outage becomes a refusal that asks to try again; anything else is a bug and stays as it is."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.errors import CommitOutcomeUnknown, DatabaseBusy, DatabaseReadOnly, DatabaseUnavailable, DiskFull

log = logging.getLogger(__name__)

SELDOM = 60.0  # seconds between two log lines with the same code: an outage hits every thread at once

BUSY = "Goldloop's database is busy. Nothing was recorded. Please try again in a moment."
UNREACHABLE = "Goldloop's database cannot be reached. Nothing was recorded. Please try again in a moment."
TAKES_NO_WRITES = "Goldloop's database is read-only. Nothing was recorded. Please try again in a moment."
NO_ROOM = "Goldloop's disk is full. Nothing was recorded. Please try again when there is free space."
OUTCOME_UNKNOWN = (
    "Goldloop lost its database connection while recording this, so it may or may not have been recorded. "
    "Repeating it is safe."
)

# By SQLSTATE or the first two characters of it: https://www.postgresql.org/docs/current/errcodes-appendix.html
DISK_FULL = "53100"
READ_ONLY = "25006"  # a standby, even if it was the primary when we connected; or set so by an operator
TIMED_OUT = {"55P03", "57014", "40001", "40P01", "53"}  # locks, our timeout, deadlocks, resources used up
LOST = {"08", "57P", "25P03", "25P04"}  # connection errors, shutdown or start-up, closed as idle


def refusal_for(error: SQLAlchemyError, committing: bool = False) -> DatabaseUnavailable | None:
    """The refusal for an outage; None for any other error. committing: COMMIT was sent, so its outcome is unknown if
    the connection was lost."""
    if isinstance(error, PoolTimeout):
        return DatabaseBusy(BUSY)
    if not isinstance(error, DBAPIError):
        return None
    refusal = _sqlite_outage(error.orig) if isinstance(error.orig, sqlite3.Error) else _of_postgres(error, committing)
    if refusal is not None:
        _note(refusal, error.orig)
    return refusal


class Seldom:
    """Limits how often a message is repeated. `clock` counts seconds and never goes back."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._lock = threading.Lock()
        self._said: dict[str, float] = {}

    def may_say(self, what: str) -> bool:
        now = self._clock()
        with self._lock:
            if now - self._said.get(what, -self._seconds) < self._seconds:
                return False
            self._said[what] = now
            return True


_seldom = Seldom(SELDOM)


def _sqlite_outage(error: sqlite3.Error) -> DatabaseUnavailable | None:
    """The refusal for an error of SQLite, by its result code; None: it is no outage. The messages differ between
    versions."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return DatabaseBusy(BUSY)
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return DiskFull(NO_ROOM)
    if name.startswith("SQLITE_READONLY"):
        return DatabaseReadOnly(TAKES_NO_WRITES)
    return DatabaseUnavailable(UNREACHABLE) if name.startswith("SQLITE_CANTOPEN") else None


def _of_postgres(error: DBAPIError, committing: bool) -> DatabaseUnavailable | None:
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state == READ_ONLY:
        return DatabaseReadOnly(TAKES_NO_WRITES)
    is_lost = error.connection_invalidated or _is_one_of(state, LOST) or _never_connected(error, state)
    if is_lost:
        return CommitOutcomeUnknown(OUTCOME_UNKNOWN) if committing else DatabaseUnavailable(UNREACHABLE)
    if state == DISK_FULL:
        return DiskFull(NO_ROOM)
    return DatabaseBusy(BUSY) if _is_one_of(state, TIMED_OUT) else None


def _never_connected(error: DBAPIError, state: str | None) -> bool:
    """Whether connecting itself failed: such an error has no SQLSTATE."""
    return state is None and isinstance(error, OperationalError)


def _is_one_of(state: str | None, codes: set[str]) -> bool:
    return state is not None and any(state.startswith(code) for code in codes)


def _note(refusal: DatabaseUnavailable, cause: Any) -> None:
    """Log the outage. A full disk is an error, because an operator must act; most other outages end by themselves."""
    if _seldom.may_say(refusal.code):
        level = logging.ERROR if isinstance(refusal, DiskFull) else logging.WARNING
        log.log(level, "Database unavailable", extra={"code": refusal.code, "reason": str(cause).split("\n")[0][:300]})
