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

MOST = 64  # new votes in one transaction: with more, the last ones would run out of time
PAUSE = 0.5  # seconds without a vote until the connection is given back
AGAIN = 0.02  # seconds until votes that need rows locked elsewhere are cast again, if no vote arrives before
TOO_LATE = GRACE + 0.05  # seconds: a vote with less time left is not cast
STOPPING = "Goldloop is being restarted. Nothing was recorded. Please try again in a moment."

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Waiting:
    """A vote that waits for its transaction. ends: on the monotonic clock. loop: the one on which the vote was taken
    and is to be answered."""

    cast: Cast
    ends: float
    receipt: "Future[Receipt]"
    loop: asyncio.AbstractEventLoop | None

    @property
    def left(self) -> float:
        return self.ends - time.monotonic()

    def must_follow(self, other: "_Waiting") -> bool:
        """Whether it may be cast only after the other one, which arrived before: both are about one item, or by one
        person."""
        return self.cast.subject.id == other.cast.subject.id or self.cast.person == other.cast.person


_Outcome = tuple[_Waiting, Receipt | Exception]


class VoteCollector:
    """The collector. Its thread begins with the first vote. policy_of: see `cast_votes`."""

    def __init__(self, database: Database, policy_of: PolicyOf, clock: Callable[[], datetime]) -> None:
        self._writer, self._policy_of, self._clock = Writer(database), policy_of, clock
        self._changed = threading.Condition()
        self._arrived: list[_Waiting] = []
        self._is_due = False  # the arrived votes can be cast; until then, more are expected at the same moment
        self._closed = False
        self._thread: threading.Thread | None = None

    def cast(self, subject: CardRef, person: str, answer: NewAnswer) -> "Future[Receipt]":
        """Take a vote. The returned future ends with the receipt after the commit, or with the Refusal; if the caller
        is on an event loop, on that loop. The request's own deadline holds (`CLICK` without one). Raises Refusal when
        the process ends."""
        receipt: Future[Receipt] = Future()
        receipt.set_running_or_notify_cancel()  # the future cannot be cancelled any more
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
        else:  # after the requests that have arrived already, so that their votes are in the same transaction
            loop.call_soon(loop.call_soon, self._wake)
        return receipt

    def _wake(self) -> None:
        with self._changed:
            self._is_due = True
            self._changed.notify()

    def close(self) -> None:
        """Take no further votes, and wait until all votes that were taken are committed or refused."""
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
        """The votes that have arrived; empty: none has for a while. None: no more votes will come."""
        pause = PAUSE if self._writer.is_kept else None
        with self._changed:
            self._changed.wait_for(lambda: self._is_due or (self._closed and not held), AGAIN if held else pause)
            new, self._arrived = self._arrived[:MOST], self._arrived[MOST:]
            self._is_due = bool(self._arrived)
            return None if self._closed and not new else new

    def _cast(self, waiting: Sequence[_Waiting]) -> list[_Waiting]:
        """Cast the votes and report their outcomes. Returns those that are to be cast again before any later ones."""
        in_time = _still_in_time(waiting)
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
            _report([(in_time[0], error)])
            return []
        decided = list(zip(in_time, outcomes, strict=True))
        _report([(one, outcome) for one, outcome in decided if outcome is not None])
        return [one for one, outcome in decided if outcome is None]

    def _in_one_transaction(self, waiting: Sequence[_Waiting]) -> list[Receipt | Refusal | None]:
        """The transaction has the time that is left to the vote whose deadline comes first."""
        with finished_within(min(one.left for one in waiting)), self._writer.transaction() as session:
            return cast_votes(session, [one.cast for one in waiting], self._policy_of, wait=False)

    def _after_busy(self, waiting: Sequence[_Waiting], busy: DatabaseBusy) -> list[_Waiting]:
        """If the deadline of some votes has passed, refuse these: the others have time left and are cast again. If no
        deadline has passed, the database gave up the transaction, as in a deadlock with another process: there is time
        to cast each vote by itself."""
        in_time = _still_in_time(waiting)
        if len(in_time) < len(waiting):
            return in_time
        return self._one_by_one(waiting) if len(waiting) > 1 else _refused(waiting, busy)

    def _one_by_one(self, waiting: Sequence[_Waiting]) -> list[_Waiting]:
        """Cast each vote in a transaction of its own, so that a bug or a deadlock of one does not affect the others.
        Returns those that are to be cast again."""
        held: list[_Waiting] = []
        for one in waiting:
            if any(one.must_follow(other) for other in held):
                held.append(one)
            else:
                held += self._cast([one])
        return held


def _still_in_time(waiting: Sequence[_Waiting]) -> list[_Waiting]:
    """The votes whose deadline has not passed. The others are refused: the database is busy."""
    late = [one for one in waiting if one.left <= TOO_LATE]
    _report([(one, DatabaseBusy(BUSY)) for one in late])
    return [one for one in waiting if one not in late] if late else list(waiting)


def _refused(waiting: Sequence[_Waiting], refusal: DatabaseUnavailable) -> list[_Waiting]:
    """Refuse all of them. None is left to cast."""
    _report([(one, refusal) for one in waiting])
    return []


def _report(outcomes: Sequence[_Outcome]) -> None:
    """Report outcomes, those of one event loop by one call: with a call for each, the loop and this thread would hand
    the interpreter's lock to and fro, which takes five times as long."""
    for loop in {one.loop for one, _outcome in outcomes}:
        of_loop = [(one, outcome) for one, outcome in outcomes if one.loop is loop]
        if loop is None:
            _end(of_loop)
        else:
            with suppress(RuntimeError):  # the loop has ended, and its requests with it
                loop.call_soon_threadsafe(_end, of_loop)


def _end(outcomes: Sequence[_Outcome]) -> None:
    for one, outcome in outcomes:
        if isinstance(outcome, Receipt):
            one.receipt.set_result(outcome)
        else:
            one.receipt.set_exception(outcome)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
