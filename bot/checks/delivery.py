"""Messages and jobs: what is waiting, what has failed, and whether a worker is running."""

from collections.abc import Callable
from datetime import datetime

from bot.checks.finding import Findings, bad, good, note
from bot.runtime.processes import is_gone, process_title
from bot.slack.delivery.deliver import DELIVERY
from bot.slack.errors import Kind, kind_of, operator_remedy
from bot.wording.cards import card_name
from core.delivery import backlog
from core.delivery.backlog import GivenUp
from core.storage import leases
from core.storage.database import Database
from core.storage.running import running

LATE = 300  # seconds; Slack's rate limits allow sixty cards a minute in one channel

RETRY = "Then run `goldloop retry-deliveries`."
AUTOMATIC = "Goldloop retries by itself; `goldloop retry-deliveries` retries now."


def undelivered(database: Database, clock: Callable[[], datetime]) -> Findings:
    with database.reading() as session:
        given_up, waiting = backlog.given_up(session), backlog.waiting(session)
    for lost in given_up:
        remedy = operator_remedy(lost.reason) or "Look up the error in the log and in Slack's documentation."
        words = f"{_messages(lost.count)} to {lost.channel or 'Slack'} failed: {lost.reason}{_named(lost)}"
        yield bad("delivery", words, f"{remedy} {AUTOMATIC if lost.since else RETRY}")
    late = (clock() - waiting.since).total_seconds() if waiting.since else 0
    if late > LATE:
        words = f"{_messages(waiting.count)} waiting, the oldest for {late / 60:.0f} minutes."
        yield bad(
            "delivery", words, "Check that a worker is running (`goldloop run` or `goldloop worker`), and read its log."
        )
    elif not given_up:
        yield good("delivery", f"{_messages(waiting.count)} waiting" if waiting.count else "no messages waiting")


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"


def _named(lost: GivenUp) -> str:
    """The names of the messages, if they and not the channel are the cause."""
    if kind_of(lost.reason) is Kind.CHANNEL or not lost.named:
        return ""
    named = ", ".join(card_name(card, subject_id) for card, subject_id in lost.named)
    return f" ({named}{', …' if lost.count > len(lost.named) else ''})"


def worker_at_work(database: Database, clock: Callable[[], datetime]) -> Findings:
    """Check that a worker runs. A worker that sends holds the lease on delivery; one without anything to send only has
    its row."""
    with database.reading() as session:
        holder = leases.holder(session, DELIVERY, clock(), is_gone)
        idle = next((one.name for one in running(session, clock(), is_gone) if one.works), None)
    if holder is None and idle is not None:
        yield good("worker", f"{process_title(idle)} runs, with nothing to send")
    elif holder is None:
        words = "No worker is sending to Slack, so no cards are posted and no models are trained."
        remedy = "Start `goldloop run`, or `goldloop worker` beside `goldloop web`. If one is running, read its log."
        yield note("worker", words, remedy)
    else:
        yield good("worker", f"{process_title(holder)} sends to Slack")


def dead_jobs(database: Database) -> Findings:
    with database.reading() as session:
        dead = backlog.dead_jobs(session)
    for job in dead:
        words = f"{job.name} ({job.key}) failed permanently: {job.error or 'no reason recorded'}"
        yield bad(
            "jobs",
            words,
            "Fix the cause, then run `goldloop retrain`. This entry disappears when a later job succeeds.",
        )
    if not dead:
        yield good("jobs", "no failed jobs")
