"""`goldloop run`, `web`, `worker` and `migrate`: the processes of a running Goldloop, and their tables."""

import typer
from rich.console import Console

from bot.cli.context import opened
from bot.runtime.clock import utc_now
from bot.runtime.migrate import migrate as bring_up_to_date
from bot.runtime.settings import load_settings
from core.policy_sync import sync_queues
from core.storage.database import PATIENT

commands = typer.Typer()
out = Console()


@commands.command()
def run() -> None:
    """Run the Slack app, the HTTP API and the worker in one process: enough for a team on SQLite."""
    from bot.server import run

    run.run(load_settings(), web=True, work=True)


@commands.command()
def web() -> None:
    """Run the Slack app and the HTTP API only. Start any number of these processes."""
    from bot.server import run

    run.run(load_settings(), web=True, work=False)


@commands.command()
def worker() -> None:
    """Run the worker only: messages, training and schedules. Start any number of these processes."""
    from bot.server import run

    run.run(load_settings(), web=False, work=True)


@commands.command()
def migrate() -> None:
    """Create or upgrade the database tables, and apply the policy's queues."""
    with opened(make_tables=True) as (database, policy):
        bring_up_to_date(database)
        with database.transaction(wait=PATIENT) as session:
            sync_queues(session, policy, utc_now())
    out.print("The database is up to date.")
