"""The collector of votes: one thread casts whatever has arrived as one transaction, in the order of arrival.

There is no timer: while one set is committed, the next one gathers. Each vote has its own time from its arrival; a row
that is locked elsewhere holds up only the votes that need it.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from core.delivery.card_refs import CardRef
from core.errors import DatabaseBusy, DatabaseUnavailable, Refusal
from core.review.votes import Cast, NewAnswer, PolicyOf, Receipt, cast_votes
from core.storage.database import CLICK, Database, Writer
from core.storage.database_errors import BUSY
from core.storage.deadlines import GRACE, ends_in, finished_within

MOST = 64  # new votes of one set: a longer one would use up the time of its last ones
PAUSE = 0.5  # seconds without a vote, after which the connection is given back
AGAIN = 0.02  # seconds until what is locked elsewhere is tried again, if no vote arrives before
TOO_LATE = GRACE + 0.05  # seconds before the end of a vote's time from which on it is not cast
STOPPING = "Goldloop is being restarted. Nothing was recorded. Please try again in a moment."

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Waiting:
    """ends: on the monotonic clock. loop: on which the vote was taken, and is told what comes of it."""

    cast: Cast
    ends: float
    receipt: "Future[Receipt]"
    loop: asyncio.AbstractEventLoop | None

    @property
    def left(self) -> float:
        return self.ends - time.monotonic()

    def is_behind(self, other: "_Waiting") -> bool:
        """Whether it has to wait for the other, which arrived before."""
        return self.cast.subject.id == other.cast.subject.id or self.cast.person == other.cast.person


_Told = tuple[_Waiting, Receipt | Exception]


class VoteCollector:
    """Its thread begins with the first vote. policy_of: as of `cast_votes`."""

    def __init__(self, database: Database, policy_of: PolicyOf, clock: Callable[[], datetime]) -> None:
        self._writer, self._policy_of, self._clock = Writer(database), policy_of, clock
        self._changed = threading.Condition()
        self._arrived: list[_Waiting] = []
        self._is_due = False  # those that have arrived are a set; until then, more are coming at the same moment
        self._closed = False
        self._thread: threading.Thread | None = None

    def cast(self, subject: CardRef, person: str, answer: NewAnswer) -> "Future[Receipt]":
        """What comes of it: the receipt after the commit, or the Refusal. From an event loop, it is told on that loop.
        The request's own deadline holds (`CLICK` without one). Raises Refusal when the process ends."""
        receipt: Future[Receipt] = Future()
        receipt.set_running_or_notify_cancel()  # it cannot be taken back any more
        loop = _running_loop()
        with self._changed:
            if self._closed:
                raise Refusal(STOPPING)
            ends = time.monotonic() + ends_in(CLICK)
            self._arrived.append(_Waiting(Cast(subject, person, answer, self._clock()), ends, receipt, loop))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="votes", daemon=True)
                self._thread.start()
        if loop is None:
            self._wake()
        else:  # after all that is ready now: requests that have arrived leave their votes first
            loop.call_soon(loop.call_soon, self._wake)
        return receipt

    def _wake(self) -> None:
        with self._changed:
            self._is_due = True
            self._changed.notify()

    def close(self) -> None:
        """Take no further votes, and wait until all that were taken are committed or refused."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        held: list[_Waiting] = []
        while (new := self._next(held)) is not None or held:
            if new or held:
                held = self._cast([*held, *(new or [])])
            else:
                self._writer.release()
        self._writer.release()

    def _next(self, held: Sequence[_Waiting]) -> list[_Waiting] | None:
        """What has arrived; none, if nothing does for a while. None: nothing will any more."""
        pause = PAUSE if self._writer.is_kept else None
        with self._changed:
            self._changed.wait_for(lambda: self._is_due or (self._closed and not held), AGAIN if held else pause)
            new, self._arrived = self._arrived[:MOST], self._arrived[MOST:]
            self._is_due = bool(self._arrived)
            return None if self._closed and not new else new

    def _cast(self, waiting: Sequence[_Waiting]) -> list[_Waiting]:
        """Returns those that are to be cast again before any later ones."""
        in_time = _without_the_late(waiting)
        if not in_time:
            return []
        try:
            outcomes = self._in_one_transaction(in_time)
        except DatabaseBusy as busy:
            return self._after_busy(in_time, busy)
        except DatabaseUnavailable as refusal:
            return _refused(in_time, refusal)
        except Exception as error:  # noqa: BLE001 - its request logs it
            if len(in_time) > 1:
                return self._one_by_one(in_time)
            _tell([(in_time[0], error)])
            return []
        decided = list(zip(in_time, outcomes, strict=True))
        _tell([(one, outcome) for one, outcome in decided if outcome is not None])
        return [one for one, outcome in decided if outcome is None]

    def _in_one_transaction(self, waiting: Sequence[_Waiting]) -> list[Receipt | Refusal | None]:
        """Within the time of the one that ends first."""
        with finished_within(min(one.left for one in waiting)), self._writer.transaction() as session:
            return cast_votes(session, [one.cast for one in waiting], self._policy_of, wait=False)

    def _after_busy(self, waiting: Sequence[_Waiting], busy: DatabaseBusy) -> list[_Waiting]:
        """Where the time of some ended meanwhile, they are told, and the others have some left. Where none did, the
        database gave up on the transaction, as in a deadlock with another process: there is time to cast each alone."""
        in_time = _without_the_late(waiting)
        if len(in_time) < len(waiting):
            return in_time
        return self._one_by_one(waiting) if len(waiting) > 1 else _refused(waiting, busy)

    def _one_by_one(self, waiting: Sequence[_Waiting]) -> list[_Waiting]:
        """Cast each alone: a bug or a deadlock of one is no other's."""
        held: list[_Waiting] = []
        for one in waiting:
            if any(one.is_behind(other) for other in held):
                held.append(one)
            else:
                held += self._cast([one])
        return held


def _without_the_late(waiting: Sequence[_Waiting]) -> list[_Waiting]:
    """The others are told that the database is busy, and are not cast."""
    late = [one for one in waiting if one.left <= TOO_LATE]
    _tell([(one, DatabaseBusy(BUSY)) for one in late])
    return [one for one in waiting if one not in late] if late else list(waiting)


def _refused(waiting: Sequence[_Waiting], refusal: DatabaseUnavailable) -> list[_Waiting]:
    """All are told."""
    _tell([(one, refusal) for one in waiting])
    return []


def _tell(told: Sequence[_Told]) -> None:
    """All of one loop by one call: with a call for each, the loop and this thread would hand the interpreter's lock to
    and fro, which takes five times as long."""
    for loop in {one.loop for one, _outcome in told}:
        theirs = [(one, outcome) for one, outcome in told if one.loop is loop]
        if loop is None:
            _end(theirs)
        else:
            with suppress(RuntimeError):  # it has ended, and its requests with it
                loop.call_soon_threadsafe(_end, theirs)


def _end(told: Sequence[_Told]) -> None:
    for one, outcome in told:
        if isinstance(outcome, Receipt):
            one.receipt.set_result(outcome)
        else:
            one.receipt.set_exception(outcome)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
