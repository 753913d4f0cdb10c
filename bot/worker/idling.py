"""Idling: tasks that look for new rows do not run while nothing changes and nothing waits.

Running each of them several times a second costs processor time and, on SQLite, the write lock. Instead, one thread
asks the database five times a second whether anything was committed (core/storage/changes.py), and wakes the tasks. If
the database cannot tell, the tasks run at their usual intervals.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot.runtime.services import Services
from core.delivery import notices, outbox, webhooks
from core.records.delivery import Incident, Notice, Posting
from core.records.jobs import Job
from core.records.webhooks import EventDelivery
from core.storage.changes import Changes

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.2  # a message is posted within 0.3 s of its commit
# Without a commit, after which the tasks rest: by then each has looked once more, but for those that take jobs, which
# `anything_waits` sees. On PostgreSQL a commit's rows may appear late, and its own upkeep looks like a commit.
QUIET_SECONDS = 6.0
AGAIN_SECONDS = 5.0  # between two looks at what waits, while the tasks rest
FOR_EVER = timedelta(days=36500)


class Idling:
    """rest: puts the tasks to rest, or finds them resting; called every few seconds. wake: lets them run at once, which
    the first change does."""

    def __init__(
        self, services: Services, rest: Callable[[], None], wake: Callable[[], None], quiet: float = QUIET_SECONDS
    ) -> None:
        self._services, self._rest, self._wake, self._quiet = services, rest, wake, quiet
        self._changes = Changes(services.database)
        self._mark: object = None
        self._since = self._looked = time.monotonic()
        self.is_resting = False

    def watch(self, stopping: threading.Event) -> None:
        """Until `stopping`."""
        while not stopping.wait(LOOK_SECONDS):
            self.look(time.monotonic())
        self._changes.close()

    def look(self, now: float) -> None:
        mark = self._changes.mark()
        if mark != self._mark:
            self._mark, self._since = mark, now
            self.wake()
        elif self.is_resting and now - self._looked >= AGAIN_SECONDS:
            self._looked = now
            if self._waits():
                self.wake()
            else:
                self._rest()
        elif not self.is_resting and now - self._since >= self._quiet:
            self._looked = self._since = now
            if not self._waits():
                self.is_resting = True
                self._rest()

    def wake(self) -> None:
        if self.is_resting:
            self.wake_now()

    def wake_now(self) -> None:
        """May be called by another thread, whether the tasks rest or not."""
        self._since, self.is_resting = time.monotonic(), False
        self._wake()

    def _waits(self) -> bool:
        try:
            with self._services.database.reading() as session:
                return anything_waits(session, self._services)
        except Exception:  # noqa: BLE001 - as in `Changes.mark`
            return True


def anything_waits(session: Session, services: Services) -> bool:
    """Whether there is a row that some task has to come back to, now or later."""
    ahead = services.clock() + FOR_EVER
    waiting = (
        select(Incident.id).where(Incident.resolved_at.is_(None)).exists(),
        *(select(Job.id).where(Job.state == state).exists() for state in ("ready", "running")),
        *(
            select(record.id).where(record.leased_until.is_not(None)).exists()
            for record in (Posting, Notice, EventDelivery)
        ),
    )
    if outbox.is_waiting(session) or notices.is_waiting(session) or session.scalar(select(or_(*waiting))):
        return True
    return webhooks.is_waiting(session, services.policy.webhooks, ahead)
