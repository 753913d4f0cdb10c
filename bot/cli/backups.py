"""`goldloop backup` and `goldloop restore`: the whole database written to a file, and restored from it."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from bot.runtime.backups import back_up, put_back
from bot.runtime.clock import utc_now
from bot.runtime.migrate import migrate
from bot.runtime.open_database import open_database
from bot.runtime.processes import is_gone, process_title
from bot.runtime.settings import load_settings
from bot.wording.numbers import count
from core.delivery.backlog import draw_open_again, try_again
from core.errors import Refusal
from core.privacy.erasure_again import erase_again, erased_inputs
from core.storage import leases
from core.storage.database import PATIENT
from core.storage.running import running

commands = typer.Typer()


@commands.command()
def backup(file: Annotated[Path, typer.Argument(help="New file to write.")]) -> None:
    """Write the whole database to a file. Works while Goldloop runs."""
    back_up(load_settings().database_url, file)
    typer.echo(f"Wrote {file} ({file.stat().st_size / 1e6:,.1f} MB).")


@commands.command()
def restore(
    file: Annotated[Path, typer.Argument(help="File that `goldloop backup` wrote.")],
    yes: Annotated[bool, typer.Option("--yes", help="Replace the database without asking.")] = False,
) -> None:
    """Replace the database with a backup, upgrade its tables, erase again what was erased since, and redraw every open
    card. Stop every process first."""
    settings = load_settings()
    _require_stopped(settings.database_url)
    erased = _erased(settings.database_url)
    if not yes:
        typer.confirm("Everything stored after the backup will be lost. Go on?", abort=True)
    put_back(settings.database_url, file)
    with open_database(settings.database_url, settings.sqlite_full_sync, make_tables=True) as database:
        migrate(database)
        with database.transaction(wait=PATIENT) as session:
            gone = erase_again(session, erased or (), utc_now())
        with database.transaction(wait=PATIENT) as session:
            again = try_again(session, utc_now()) + draw_open_again(session, utc_now())
    waiting = f"{count(again, 'message')} will be sent again."
    typer.echo(
        f"Restored {file}. {waiting} {_erasures(gone, erased is not None)} Run `goldloop doctor`, then start Goldloop."
    )


def _erased(url: str) -> list[tuple[str, str]] | None:
    """The erasures in the database that is about to be replaced; None if it cannot be read."""
    try:
        with open_database(url) as database, database.reading() as session:
            return erased_inputs(session)
    except (Refusal, SQLAlchemyError):
        return None


def _erasures(gone: int, is_known: bool) -> str:
    if is_known:
        return f"{count(gone, 'ticket')} erased since the backup {'was' if gone == 1 else 'were'} erased again."
    return (
        "The former database could not be read, so what was erased since the backup is back: run `goldloop erase` "
        "again for each of these requests before you start."
    )


def _require_stopped(url: str) -> None:
    """Raises Refusal while a process runs. A database that cannot be read may be replaced."""
    from bot.slack.delivery.deliver import DELIVERY

    try:
        with open_database(url) as database, database.reading() as session:
            worker = leases.holder(session, DELIVERY, utc_now(), is_gone)
            names = {one.name for one in running(session, utc_now(), is_gone)} | ({worker} if worker else set())
    except (Refusal, SQLAlchemyError):
        return
    if names:
        titles = ", ".join(process_title(name) for name in sorted(names))
        verb = "is" if len(names) == 1 else "are"
        raise Refusal(f"{titles[0].upper()}{titles[1:]} {verb} still running. Stop every process of Goldloop first.")
