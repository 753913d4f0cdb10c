"""Deadlines for the database: for any single answer, and for all answers within one request. All four waits use them:
for a lock, for a connection, for the answer to a statement and for COMMIT. Without a common limit, a dead network would
keep a person waiting, however short each timeout is.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from core.errors import DatabaseBusy
from core.storage.database_errors import BUSY

GRACE = 0.15  # seconds by which the server gives up before the client does, so that the connection stays usable

_answer: ContextVar[float | None] = ContextVar("answer", default=None)
_began: ContextVar[float] = ContextVar("began", default=0.0)
_end: ContextVar[float | None] = ContextVar("end", default=None)


@contextmanager
def finished_within(seconds: float) -> Iterator[None]:
    """End all waits for the database in this block within so many seconds. Of two such limits, the earlier one
    holds."""
    end, outer = time.monotonic() + seconds, _end.get()
    token = _end.set(end if outer is None else min(outer, end))
    try:
        yield
    finally:
        _end.reset(token)


@contextmanager
def waiting_at_most(seconds: float) -> Iterator[None]:
    """Wait for any single answer in this block for at most so many seconds."""
    answer, began = _answer.set(seconds), _began.set(time.monotonic())
    try:
        yield
    finally:
        _answer.reset(answer)
        _began.reset(began)


def for_the_server() -> float:
    """Seconds after which the database itself should give up on a lock or a statement. Always above 0, which would mean
    no limit."""
    answer, left = _answer.get() or 0.0, _seconds_left()
    return max(0.001, answer if left is None else min(answer, left - GRACE))


def for_an_answer() -> float | None:
    """Seconds for which the client waits for an answer; None: no limit was set."""
    answer, left = _answer.get(), _seconds_left()
    if answer is None:
        return left
    return answer + GRACE if left is None else min(answer + GRACE, left)


def for_a_connection() -> float | None:
    """Seconds left for a new connection, counted from the beginning of the block: it may be needed because the old
    connection did not answer."""
    answer, left = _answer.get(), _seconds_left()
    if answer is None:
        return left
    own = max(0.0, _began.get() + answer + GRACE - time.monotonic())
    return own if left is None else min(own, left)


def ends_in(otherwise: float) -> float:
    """Seconds until the request's time is used up; `otherwise` if the request has no limit."""
    left = _seconds_left()
    return otherwise if left is None else left


def is_over() -> bool:
    """Whether the request's time is used up."""
    left = _seconds_left()
    return left is not None and left <= 0


@contextmanager
def taken(what: "threading.Lock | threading.Semaphore") -> Iterator[None]:
    """Hold the lock or semaphore for the block. Raises DatabaseBusy if it is not free in time."""
    if not what.acquire(timeout=for_the_server()):
        raise DatabaseBusy(BUSY)
    try:
        yield
    finally:
        what.release()


def _seconds_left() -> float | None:
    end = _end.get()
    return None if end is None else max(0.0, end - time.monotonic())
