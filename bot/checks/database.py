"""The database: reachable, with the tables of this release, space on its disk and a clock that agrees with ours."""

import os
import shutil
from collections.abc import Callable, Generator
from datetime import datetime

from sqlalchemy import make_url, select, text
from sqlalchemy.exc import SQLAlchemyError

from bot.checks.finding import Finding, Findings, bad, good
from bot.runtime.migrate import Tables, newest_revision, tables_there
from bot.runtime.open_database import sqlite_file
from core.errors import Refusal
from core.policy import Policy
from core.records.queues import Queue
from core.storage.database import Database

SUBJECT = "database"
MALFORMED = "malformed"  # in SQLite's message
FOLDER = "Create the folder or change DATABASE_URL. SQLite also writes files next to its database."
BACK_UP = "Make a backup, then run `goldloop migrate`."
MIN_FREE_BYTES = 200_000_000  # SQLite's log can grow by a training run's model and snapshot
MAX_CLOCK_SKEW = 5  # seconds; leases last twenty


def reachable_database(url: str) -> Generator[Finding, None, Database | None]:
    """Check that the database answers. Returns it opened, or None. A missing SQLite file is not created."""
    try:
        shown = make_url(url).render_as_string(hide_password=True)
        file = sqlite_file(url)
        if file is not None and not os.access(file.parent, os.W_OK):
            yield bad(SUBJECT, f"The folder {file.parent} does not exist or is not writable.", FOLDER)
            return None
        if file is not None and not file.exists():
            yield bad(SUBJECT, f"The file {file} does not exist yet.", "Run `goldloop migrate` in this folder.")
            return None
        database = Database(url)
        with database.reading() as session:
            session.execute(text("SELECT 1"))
    except (SQLAlchemyError, Refusal) as error:
        words = _of_driver(error)
        remedy = "Check DATABASE_URL, that the server is running, and that it accepts this user."
        yield (
            broken_database(error)
            if MALFORMED in words
            else bad(SUBJECT, f"The database cannot be reached: {words}", remedy)
        )
        return None
    yield good(SUBJECT, f"connected to {shown}")
    return database


def broken_database(error: SQLAlchemyError | Refusal) -> Finding:
    """The finding for a database that connects but fails a query."""
    words = _of_driver(error)
    is_damaged = MALFORMED in words
    remedy = "Restore the last backup; see `goldloop docs operations`." if is_damaged else "Run this again in a moment."
    return bad(SUBJECT, f"A query failed: {words}", remedy)


def _of_driver(error: Exception) -> str:
    """The driver's message, in place of the sentence for people in Slack."""
    cause = (error.__cause__ or error) if isinstance(error, Refusal) else error
    return str(getattr(cause, "orig", None) or cause).strip().splitlines()[0]


def newest_migration(database: Database) -> Generator[Finding, None, bool]:
    """Check the migrations. Returns whether the tables are those of this release, so that rows can be read."""
    newest = newest_revision()
    with database.reading() as session:
        tables, present = tables_there(session.connection())
    if tables is Tables.CURRENT:
        yield good("schema", f"up to date ({newest})")
        return True
    if tables is Tables.MISSING:
        yield bad("schema", "The database has no tables yet.", "Run `goldloop migrate`.")
    elif tables is Tables.OLDER:
        yield bad("schema", f"{present} is out of date; this release needs {newest}.", BACK_UP)
    elif tables is Tables.UNRELEASED:
        words = f"{present} belongs to a development version of Goldloop and cannot be upgraded."
        yield bad("schema", words, "Set DATABASE_URL to a new database, then run `goldloop migrate`.")
    else:
        yield bad("schema", f"{present} belongs to a newer release of Goldloop.", "Install that release.")
    return False


def queues_are_rows(database: Database, policy: Policy) -> Findings:
    with database.reading() as session:
        known = set(session.scalars(select(Queue.name)))
    missing = [queue.name for queue in policy.queues if queue.name not in known]
    if missing:
        words = f"Not in the database yet: {', '.join(missing)}."
        yield bad("queues", words, "Run `goldloop migrate` or restart Goldloop.")


def room_on_disk(url: str) -> Findings:
    """Check the free space on the disk. Only for SQLite; a server's disk is not visible from here."""
    file = sqlite_file(url)
    if file is None:
        return
    free = shutil.disk_usage(file.parent).free
    if free < MIN_FREE_BYTES:
        yield bad(
            "disk",
            f"Only {free / 1e6:.0f} MB are free for {file}.",
            "Free some space: votes cannot be stored on a full disk.",
        )
    else:
        yield good("disk", f"{free / 1e9:.1f} GB are free for {file}")


def clock_of_database(database: Database, clock: Callable[[], datetime]) -> Findings:
    """Compare the server's clock with this machine's. SQLite has no clock."""
    if database.is_sqlite:
        return
    with database.reading() as session:
        theirs = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    apart = abs((clock() - theirs).total_seconds())
    if apart > MAX_CLOCK_SKEW:
        yield bad("database clock", f"It differs from this machine's by {apart:.0f} s.", "Synchronise both with NTP.")
    else:
        yield good("database clock", "agrees with this machine's")
