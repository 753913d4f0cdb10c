"""Detection of commits: whether anything was committed since the last check, at a hundredth of a transaction's cost.

SQLite counts the commits of other connections (`PRAGMA data_version`). PostgreSQL reports the snapshot: which writing
transactions a statement sees now. It includes the server's other databases; a false alarm costs a few transactions.
(The position of its log would not do: it moves before the rows of a commit are visible, and with the server's own
upkeep.) PostgreSQL also notifies of announced commits (core/storage/announcing.py), so it need not be asked often.
"""

import threading
import time
from multiprocessing.connection import wait as wait_for
from typing import Any

from core.storage import deadlines
from core.storage.announcing import CHANNEL
from core.storage.database import CLICK, Database

SQLITE = "PRAGMA data_version"
POSTGRESQL = "SELECT pg_current_snapshot()"
ASKED_SECONDS = 0.2  # seconds between two checks: a message is posted within 0.3 s of its commit
ANNOUNCED_SECONDS = 5.0  # seconds, while waiting for announcements; not all commits are announced
STOP_SECONDS = 1.0  # seconds between two looks at `stopping` while waiting for announcements


class Changes:
    """A watch for commits on one connection, which is kept open. For use by one thread. listens: whether the connection
    receives announcements."""

    def __init__(self, database: Database, listens: bool = False) -> None:
        self._database = database
        self._listens = listens and not database.is_sqlite
        self._connection: Any = None

    def mark(self) -> object:
        """A value that is equal to the last one if nothing was committed in between. While the database does not
        answer, each mark differs from all others, because nothing is known then."""
        try:
            return self._snapshot()
        except Exception:  # noqa: BLE001 - whatever it is, the tasks will meet it too, and log it
            self.close()
            return object()

    def wait(self, stopping: threading.Event, for_announcements: bool) -> None:
        """Wait until it is time for the next check, or for a moment after `stopping`."""
        end = time.monotonic() + ANNOUNCED_SECONDS
        if not (for_announcements and self._listens and self._connection):
            stopping.wait(ASKED_SECONDS)
            return
        while not (self._is_announced() or stopping.is_set() or time.monotonic() >= end):
            continue

    def close(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()  # the next answer on it may belong to the previous question
            self._connection = None

    def _snapshot(self) -> object:
        if self._connection is None:
            self._connect()
        driver = self._connection.driver_connection  # SQLAlchemy would take most of a check's time
        if self._database.is_sqlite:
            return driver.execute(SQLITE).fetchone()[0]
        with deadlines.waiting_at_most(CLICK):
            return driver.execute(POSTGRESQL).fetchone()[0]

    def _connect(self) -> None:
        with deadlines.waiting_at_most(CLICK):
            self._connection = self._database.engine.raw_connection()
            if self._listens:
                driver = self._connection.driver_connection
                driver.add_notify_handler(lambda _: None)  # without one, psycopg stores all notifications
                driver.execute(f"LISTEN {CHANNEL}")

    def _is_announced(self) -> bool:
        """Whether there is a reason to check: an announcement, or the end of the connection. Waits for at most
        `STOP_SECONDS`."""
        driver = self._connection.driver_connection
        try:
            if not wait_for([driver], STOP_SECONDS):
                return False
            driver.pgconn.consume_input()
            while driver.pgconn.notifies():
                pass
        except Exception:  # noqa: BLE001 - as in `mark`
            self.close()
        return True
