"""The database: reachable, at the newest migration, with room on its disk, its clock beside ours."""

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
MALFORMED = "malformed"  # as SQLite says it
FOLDER = "Make the folder, or name another in DATABASE_URL; SQLite keeps files of its own beside its database."
LEAST_ROOM = 200_000_000  # bytes; SQLite's log may grow by a training run's model and snapshot
MOST_SECONDS = 5  # between two clocks; leases last twenty


def reachable_database(url: str) -> Generator[Finding, None, Database | None]:
    """Returns the database, open, if one can go on with it. Makes none: a missing SQLite file is a finding."""
    try:
        shown = make_url(url).render_as_string(hide_password=True)
        file = sqlite_file(url)
        if file is not None and not os.access(file.parent, os.W_OK):
            yield bad(SUBJECT, f"{file.parent}: there is no such folder, or we may not write in it.", FOLDER)
            return None
        if file is not None and not file.exists():
            yield bad(SUBJECT, f"{file}: there is no such file yet.", "Run `goldloop migrate` in the same folder.")
            return None
        database = Database(url)
        with database.reading() as session:
            session.execute(text("SELECT 1"))
    except (SQLAlchemyError, Refusal) as error:
        words = _of_driver(error)
        remedy = "Check DATABASE_URL, and that the server runs and lets us in."
        yield broken_database(error) if MALFORMED in words else bad(SUBJECT, f"It does not answer: {words}", remedy)
        return None
    yield good(SUBJECT, f"{shown} answers")
    return database


def broken_database(error: SQLAlchemyError | Refusal) -> Finding:
    """It answers, but not to this."""
    words = _of_driver(error)
    is_damaged = MALFORMED in words
    remedy = "Restore the last back-up; see docs/operations.md." if is_damaged else "Run this again in a moment."
    return bad(SUBJECT, f"It fails: {words}", remedy)


def _of_driver(error: Exception) -> str:
    """What the driver said, rather than what people are told in Slack."""
    cause = (error.__cause__ or error) if isinstance(error, Refusal) else error
    return str(getattr(cause, "orig", None) or cause).strip().splitlines()[0]


def newest_migration(database: Database) -> Generator[Finding, None, bool]:
    """Returns whether the tables are those of this release, so that rows may be looked at."""
    newest = newest_revision()
    with database.reading() as session:
        tables, present = tables_there(session.connection())
    if tables is Tables.CURRENT:
        yield good("migration", f"at {newest}, the newest")
        return True
    if tables is Tables.MISSING:
        yield bad("migration", "There are no tables yet.", "Run `goldloop migrate`.")
    elif tables is Tables.OLDER:
        yield bad("migration", f"at {present}, the newest is {newest}", "Make a back-up, then run `goldloop migrate`.")
    elif tables is Tables.UNRELEASED:
        words = f"at {present}, made by a development version of Goldloop; there is no upgrade from it."
        yield bad("migration", words, "Set DATABASE_URL to a new database, then run `goldloop migrate`.")
    else:
        yield bad("migration", f"{present} is not known here: the database is newer.", "Install the newer release.")
    return False


def queues_are_rows(database: Database, policy: Policy) -> Findings:
    with database.reading() as session:
        known = set(session.scalars(select(Queue.name)))
    missing = [queue.name for queue in policy.queues if queue.name not in known]
    if missing:
        words = f"The policy's {', '.join(missing)} is not in the database."
        yield bad("queues", words, "Run `goldloop migrate`, or start Goldloop again.")


def room_on_disk(url: str) -> Findings:
    """Only for SQLite: elsewhere the disk is the server's."""
    file = sqlite_file(url)
    if file is None:
        return
    free = shutil.disk_usage(file.parent).free
    if free < LEAST_ROOM:
        yield bad("disk", f"{free / 1e6:.0f} MB are free beside {file}.", "Make room: a full disk stops every vote.")
    else:
        yield good("disk", f"{free / 1e9:.1f} GB are free beside {file}")


def clock_of_database(database: Database, clock: Callable[[], datetime]) -> Findings:
    """SQLite has no clock of its own."""
    if database.is_sqlite:
        return
    with database.reading() as session:
        theirs = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    apart = abs((clock() - theirs).total_seconds())
    if apart > MOST_SECONDS:
        yield bad("clock", f"{apart:.0f} s apart from the database's.", "Let both machines keep time by NTP.")
    else:
        yield good("clock", "as the database's")
