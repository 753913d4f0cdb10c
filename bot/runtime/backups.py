"""Backups of the whole database: one file, written while Goldloop runs, restored while it is stopped."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, make_url

from bot.runtime.open_database import sqlite_file
from core.errors import Refusal

MISSING = "{} is not installed here. Install the client programs of PostgreSQL, at least as new as the server."


def back_up(url: str, target: Path) -> None:
    """Write the database to a new file, whole or not at all. Raises Refusal, saying what failed."""
    if target.exists():
        raise Refusal(f"{target} already exists and was not changed.")
    part = target.with_name(target.name + ".part")
    source = sqlite_file(url)
    if source is None:
        _run("pg_dump", url, "--format=custom", f"--file={part}")
    elif not source.exists():
        raise Refusal(f"The file {source} does not exist.")
    else:
        _copy(source, part)
    part.replace(target)


def put_back(url: str, source: Path) -> None:
    """Replace the database by a backup. On PostgreSQL in one transaction; on SQLite through SQLite itself, so that a
    log that a killed process left beside the database is not applied to the backup. Raises Refusal."""
    if not source.is_file():
        raise Refusal(f"{source}: there is no such file.")
    target = sqlite_file(url)
    if target is None:
        options = ("--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error")
        _run("pg_restore", url, *options, str(source))
    else:
        _require_whole(source)
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
    except sqlite3.Error as error:
        raise Refusal(f"{source} could not be copied to {target}: {error}.") from error


def _require_whole(source: Path) -> None:
    """Raises Refusal unless the file is an undamaged database of Goldloop."""
    try:
        with closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as opened:
            [state] = opened.execute("PRAGMA integrity_check(1)").fetchone()
            opened.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise Refusal(f"{source} is not a backup of Goldloop on SQLite: {error}.") from error
    if state != "ok":
        raise Refusal(f"{source} is damaged: {state}.")


def _run(program: str, url: str, *options: str) -> None:
    """Run a program of PostgreSQL. The password is passed in the environment, because other users of the machine can
    see a program's options."""
    found = shutil.which(program)
    if found is None:
        raise Refusal(MISSING.format(program))
    address = make_url(url)
    host = (address.username, None, address.host, address.port, address.database, address.query)
    shown = URL.create("postgresql", *host).render_as_string(hide_password=False)
    environment = os.environ | ({"PGPASSWORD": str(address.password)} if address.password else {})
    words = [found, *options[:-1], f"--dbname={shown}", options[-1]]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    if done.returncode:
        raise Refusal(f"{program} failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
