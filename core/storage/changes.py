"""Detection of commits: whether anything was committed since the last check, at a hundredth of a transaction's cost.

SQLite counts the commits of other connections (`PRAGMA data_version`). PostgreSQL says which transactions a statement
sees now, of all that write, also in the server's other databases: a false alarm costs a few transactions. (How far its
log is written would not do: it moves before the rows of a commit are visible, and with the server's own upkeep.)
"""

from typing import Any

from core.storage import deadlines
from core.storage.database import CLICK, Database

SQLITE = "PRAGMA data_version"
POSTGRESQL = "SELECT pg_current_snapshot()"


class Changes:
    """One connection, kept open. Used by one thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Any = None

    def mark(self) -> object:
        """Equal to the last one where nothing was committed in between. While the database does not answer, each mark
        differs from all others: then nothing is known."""
        try:
            with deadlines.waiting_at_most(CLICK):
                return self._asked()
        except Exception:  # noqa: BLE001 - whatever it is, the tasks will meet it too, and log it
            self.close()
            return object()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()  # its next answer may be that to the last question
            self._connection = None

    def _asked(self) -> object:
        if self._connection is None:
            self._connection = self._database.engine.raw_connection()
        cursor = self._connection.cursor()
        cursor.execute(SQLITE if self._database.is_sqlite else POSTGRESQL)
        mark: object = cursor.fetchone()[0]
        cursor.close()  # which ends SQLite's look at the file
        return mark
