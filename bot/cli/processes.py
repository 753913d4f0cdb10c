"""`goldloop run`, `web`, `worker` and `migrate`: start Goldloop's processes, and create or upgrade its tables."""

import typer

from bot.runtime.clock import utc_now
from bot.runtime.gc_tuning import share_one_heap, uncollected
from bot.runtime.migrate import migrate as bring_up_to_date
from bot.runtime.open_database import open_database
from bot.runtime.policy_in_force import start_policy, this_user
from bot.runtime.settings import load_settings
from bot.wording.policy_changes import out_of_date
from core.policy.file import load_policy
from core.policy_in_force.versions import Standing

commands = typer.Typer()


@commands.command()
def run() -> None:
    """Run the Slack app, the HTTP API and the worker in one process: enough for a team on SQLite."""
    _run(web=True, work=True)


@commands.command()
def web() -> None:
    """Run the Slack app and the HTTP API only. Start any number of these processes."""
    _run(web=True, work=False)


@commands.command()
def worker() -> None:
    """Run the worker only: messages, training and schedules. Start any number of these processes."""
    _run(web=False, work=True)


@commands.command()
def migrate() -> None:
    """Create or upgrade the database tables, and put a new policy file in force."""
    settings = load_settings()
    policy = load_policy(settings.policy)
    with open_database(settings.database_url, settings.sqlite_full_sync, make_tables=True) as database:
        bring_up_to_date(database)
        started = start_policy(database, policy, this_user(), utc_now())
    typer.echo("The database is up to date.")
    if started.standing is Standing.FORMER:
        typer.echo(out_of_date(settings.policy, started.version))
    elif started.put and started.version > 1:
        typer.echo(f"{settings.policy} is in force as version {started.version} of the policy.")


def _run(*, web: bool, work: bool) -> None:
    if work:  # only a worker trains; a process with web alone stores predictions faster with several heaps
        share_one_heap()  # before the imports below start threads
    with uncollected():
        from bot.server import run

    run.run(load_settings(), web=web, work=work)
