"""`goldloop run|web|worker|migrate`: the processes of a running Goldloop, and their tables."""

import typer
from rich.console import Console

from bot.cli.context import opened
from bot.runtime.clock import utc_now
from bot.runtime.migrate import migrate as bring_up_to_date
from bot.runtime.settings import load_settings
from core.policy_sync import sync_queues
from core.storage.database import PATIENT

processes = typer.Typer()
out = Console()


@processes.command()
def run() -> None:
    """Slack's side and the worker in one process: all that a team on SQLite needs."""
    from bot.server import run

    run.run(load_settings(), web=True, work=True)


@processes.command()
def web() -> None:
    """Only Slack's side; any number of processes."""
    from bot.server import run

    run.run(load_settings(), web=True, work=False)


@processes.command()
def worker() -> None:
    """Only the worker: messages, training, schedules; any number of processes."""
    from bot.server import run

    run.run(load_settings(), web=False, work=True)


@processes.command()
def migrate() -> None:
    """Bring tables and queues up to date."""
    with opened(make_tables=True) as (database, policy):
        bring_up_to_date(database)
        with database.transaction(wait=PATIENT) as session:
            sync_queues(session, policy, utc_now())
    out.print("The database is up to date.")
