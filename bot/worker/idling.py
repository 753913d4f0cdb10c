"""Idling: tasks that look for new rows do not run while nothing changes and nothing waits.

Running each of them several times a second costs processor time and, on SQLite, the write lock. Instead, one thread
asks the database whether anything was committed (core/storage/changes.py), and wakes the tasks: SQLite five times a
second; PostgreSQL every five seconds, and at once when it announces a commit (core/storage/announcing.py). If the
database cannot tell, the tasks run at their usual intervals.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot.runtime.services import Services
from core import jobs
from core.delivery import incidents, notices, outbox, webhooks
from core.records.delivery import Incident, Notice, Posting
from core.records.webhooks import EventDelivery
from core.storage.changes import Changes
from core.storage.ready import fetch

log = logging.getLogger(__name__)

QUIET_SECONDS = 1.0  # after so long without a commit, the tasks rest
FOR_EVER = timedelta(days=36500)

_WAITING = select(  # built once, because it is run all day
    or_(
        outbox.IS_WAITING,
        notices.IS_WAITING,
        jobs.IS_UNDER_WAY,
        select(Incident.id).where(incidents.OPEN).exists(),
        *(
            select(record.id).where(record.leased_until.is_not(None)).exists()
            for record in (Posting, Notice, EventDelivery)
        ),
    )
)


class Idling:
    """Puts the tasks to rest and wakes them. rest: called once nothing waits. wake: runs each task at once; called at
    the first commit after a rest. A commit while the tasks are awake may come after some of them have looked, so they
    are woken once more before they rest."""

    def __init__(
        self, services: Services, rest: Callable[[], None], wake: Callable[[], None], quiet: float = QUIET_SECONDS
    ) -> None:
        self._services, self._rest, self._wake, self._quiet = services, rest, wake, quiet
        self._changes = Changes(services.database, listens=True)
        self._mark: object = None
        self._since = time.monotonic()
        self._have_all_looked = False  # since the last change
        self.is_resting = False

    def watch(self, stopping: threading.Event) -> None:
        """Watch the database until `stopping` is set."""
        while not stopping.is_set():
            self.look(time.monotonic())
            self._changes.wait(stopping, for_announcements=self.is_resting)
        self._changes.close()

    def look(self, now: float) -> None:
        mark = self._changes.mark()
        if mark != self._mark:
            self._mark, self._since, self._have_all_looked = mark, now, False
            if self.is_resting:
                self.wake_now()
        elif not self.is_resting and now - self._since >= self._quiet:
            self._since = now
            if not self._waits():
                self._rest_if_all_have_looked()

    def wake_now(self) -> None:
        """Wake the tasks. May be called by any thread, whether the tasks rest or not."""
        self._since, self._have_all_looked, self.is_resting = time.monotonic(), True, False
        self._wake()

    def _rest_if_all_have_looked(self) -> None:
        if not self._have_all_looked:
            self.wake_now()
            return
        self.is_resting = True
        self._rest()

    def _waits(self) -> bool:
        try:
            with self._services.database.reading() as session:
                return anything_waits(session, self._services)
        except Exception:  # noqa: BLE001 - as in `Changes.mark`
            return True


def anything_waits(session: Session, services: Services) -> bool:
    """Whether there is a row on which some task has to work, now or later."""
    ahead = services.clock() + FOR_EVER
    return bool(fetch(session, _WAITING, {})[0][0]) or webhooks.is_waiting(session, services.policy.webhooks, ahead)
