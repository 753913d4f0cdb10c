"""The checks of `goldloop doctor`: everything that a running Goldloop needs, in the order in which to fix failures.

A check is skipped if something it depends on has failed. Checks change nothing and send no messages.
"""

from collections.abc import Callable
from datetime import datetime

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from bot.checks.address import public_address
from bot.checks.channels import channels
from bot.checks.database import (
    broken_database,
    clock_of_database,
    newest_migration,
    queues_are_rows,
    reachable_database,
    room_on_disk,
)
from bot.checks.delivery import dead_jobs, undelivered, worker_at_work
from bot.checks.events import events_heard
from bot.checks.finding import Finding, Findings, Outcome, bad
from bot.checks.in_force import compared, processes
from bot.checks.labels import labels
from bot.checks.machine import scratch_folder
from bot.checks.models import live_models
from bot.checks.people import people
from bot.checks.policy import readable_policy
from bot.checks.tokens import bot_token, clock_of_slack, connection, scopes
from bot.checks.webhooks import webhooks
from bot.runtime.services import slack_client
from bot.runtime.settings import Settings
from core.errors import Refusal
from core.policy import Policy
from core.storage.database import Database

MARKS = {Outcome.GOOD: "[green]✓[/]", Outcome.NOTE: "[yellow]![/]", Outcome.BAD: "[red]✗[/]"}


def run_checks(settings: Settings, clock: Callable[[], datetime], public_url: str = "") -> Findings:
    """All findings, in order. public_url: the address at which Slack calls this installation; it is tested too."""
    policy = yield from readable_policy(settings.policy)
    yield from scratch_folder()
    yield from _database(settings, policy, clock)
    yield from _slack(settings, policy, clock, address_is_tested=bool(public_url))
    if public_url:
        yield from public_address(public_url, settings, clock)


def report(findings: list[Finding]) -> Group:
    """A table of the findings, and a sentence below it."""
    table = Table(box=None, show_header=False, padding=(0, 1))
    for finding in findings:
        words = escape(finding.words) + (f"\n[bold]→ {escape(finding.remedy)}[/]" if finding.remedy else "")
        table.add_row(MARKS[finding.outcome], escape(finding.subject), words)
    return Group(table, f"\n{_summary([finding.outcome for finding in findings])}")


def _summary(outcomes: list[Outcome]) -> str:
    failed, notes = outcomes.count(Outcome.BAD), outcomes.count(Outcome.NOTE)
    if failed:
        return f"{failed} of {len(outcomes)} checks failed."
    return f"No checks failed. Warnings: {notes}." if notes else "All checks passed."


def _database(settings: Settings, policy: Policy | None, clock: Callable[[], datetime]) -> Findings:
    database = yield from reachable_database(settings.database_url)
    if database is None:
        return
    try:
        yield from _rows(database, policy, settings, clock)
        yield from room_on_disk(settings.database_url)
    except (SQLAlchemyError, Refusal) as error:
        yield broken_database(error)
    finally:
        database.close()


def _rows(database: Database, policy: Policy | None, settings: Settings, clock: Callable[[], datetime]) -> Findings:
    yield from clock_of_database(database, clock)
    if not (yield from newest_migration(database)):
        return
    yield from worker_at_work(database, clock)
    yield from undelivered(database, clock)
    yield from dead_jobs(database)
    yield from events_heard(database, clock)
    if policy is not None:
        yield from compared(database, policy, settings.policy)
        yield from processes(database, clock)
        missing = list(queues_are_rows(database, policy))
        yield from missing or live_models(database, policy)
        yield from [] if missing else labels(database, policy)
        yield from webhooks(database, policy)


def _slack(
    settings: Settings, policy: Policy | None, clock: Callable[[], datetime], address_is_tested: bool
) -> Findings:
    token = settings.slack_bot_token.get_secret_value()
    if not token:
        yield bad(
            "bot token", "SLACK_BOT_TOKEN is not set.", "Copy it from the app's settings; see `goldloop docs slack`."
        )
        return
    slack = slack_client(token, settings.slack_base_url)
    auth = yield from bot_token(slack)
    yield from connection(slack, settings, address_is_tested)
    if auth is None:
        return
    if policy is not None:  # it decides whether the scope for user groups is needed
        yield from scopes(auth, groups=bool(policy.groups))
    yield from clock_of_slack(auth, clock)
    if policy is not None:
        yield from channels(slack, policy)
        yield from people(slack, policy, str(auth["team_id"]))
