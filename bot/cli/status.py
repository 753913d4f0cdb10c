"""`goldloop status`: what waits, what fails and what to do, on one screen. It reads only the database; `goldloop
doctor` also asks Slack and loads the models."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import typer
from rich.console import Console
from rich.table import Table

from bot.cli.context import opened
from bot.runtime.clock import utc_now
from bot.runtime.settings import load_settings
from core.review.overview import QueueOverview, queue_overview

commands = typer.Typer()
COLUMNS = ("queue", "open", "oldest", "with a lead", "settled today", "decisions", "training", "live model")


@commands.command()
def status() -> None:
    """Show what waits in each queue, what fails, and what to do about it. Exit code 1 if something fails."""
    from bot.checks.doctor import report
    from bot.checks.finding import Outcome
    from bot.checks.in_force import file_in_force, processes
    from bot.checks.waiting import troubles, waiting_for_people

    out = Console()
    with opened() as (database, policy):
        with database.reading() as session:
            queues = [queue_overview(session, queue, utc_now()) for queue in policy.queues]
        policies = [*file_in_force(database, load_settings().policy), *processes(database, utc_now)]
        changed = [finding for finding in policies if finding.outcome is not Outcome.GOOD]
        found = [*waiting_for_people(queues), *changed, *troubles(database, policy, utc_now)]
    out.print(_table(queues, utc_now()))
    out.print(report(found) if found else "\nNothing fails, and nothing waits for a lead.", highlight=False)
    if any(finding.outcome is Outcome.BAD for finding in found):
        raise typer.Exit(1)


def _table(queues: Sequence[QueueOverview], now: datetime) -> Table:
    table = Table(*COLUMNS, box=None, header_style="bold")
    for one in queues:
        age = "–" if one.oldest_opened_at is None else shown_age(now - one.oldest_opened_at)
        counts = (str(one.open), age, str(one.disputed), str(one.settled_today))
        table.add_row(one.name, *counts, ", ".join(one.candidates) or "–", one.run or "–", one.live or "none yet")
    return table


def shown_age(age: timedelta) -> str:
    """An age in the largest unit of which there are at least two: 90 minutes, 3 hours, 2 days."""
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
