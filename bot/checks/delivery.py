"""What waits to be said or done, and what was given up."""

from collections.abc import Callable
from datetime import datetime

from bot.checks.finding import Findings, bad, good, note
from bot.runtime.processes import in_words, is_gone
from bot.slack.delivery.deliver import SPEAKING
from bot.slack.errors import CHANNEL
from core.delivery import backlog
from core.delivery.backlog import GivenUp
from core.storage import leases
from core.storage.database import Database

LATE = 300  # seconds; Slack's rates let a full channel have sixty cards a minute

REMEDIES = {
    "channel_not_found": "Check the channel's id in the policy, and invite the bot.",
    "not_in_channel": "Invite the bot to the channel.",
    "is_archived": "Unarchive the channel, or name another one in the policy.",
    "is_inactive": "Unarchive the channel, or name another one in the policy.",
    "missing_scope": "Bring the app's scopes up to `goldloop manifest` and install it again.",
    "token_revoked": "Install the app again and set the new SLACK_BOT_TOKEN.",
    "account_inactive": "Install the app again and set the new SLACK_BOT_TOKEN.",
    "invalid_auth": "Set the right SLACK_BOT_TOKEN.",
    "restricted_action": "Let the bot post there, in the channel's settings.",
    "invalid_blocks": "A fault of Goldloop's: the log has what Slack says of it. Upgrade, or settle it by another way.",
}
AGAIN = "Then run `goldloop retry-deliveries`."
ALONE = "It is tried again by itself; `goldloop retry-deliveries` does it at once."


def undelivered(database: Database, clock: Callable[[], datetime]) -> Findings:
    with database.reading() as session:
        given_up, waiting = backlog.given_up(session), backlog.waiting(session)
    for lost in given_up:
        remedy = REMEDIES.get(lost.reason, "Look for the reason in the log and at Slack's page about it.")
        words = f"{_messages(lost.count)} to {lost.channel or 'Slack'}: {lost.reason}{_named(lost)}"
        yield bad("delivery", words, f"{remedy} {ALONE if lost.since else AGAIN}")
    late = (clock() - waiting.since).total_seconds() if waiting.since else 0
    if late > LATE:
        words = f"{_messages(waiting.count)} waiting, one for {late / 60:.0f} minutes."
        yield bad("delivery", words, "Is a worker running (`goldloop run` or `goldloop worker`)? See its log.")
    elif not given_up:
        yield good("delivery", f"waiting: {_messages(waiting.count)}" if waiting.count else "no message waits")


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"


def _named(lost: GivenUp) -> str:
    """Which they are, where the messages are at fault and not the channel."""
    if lost.reason in CHANNEL or not lost.named:
        return ""
    return f" ({', '.join(lost.named)}{', …' if lost.count > len(lost.named) else ''})"


def worker_at_work(database: Database, clock: Callable[[], datetime]) -> Findings:
    """Seen by the lease on speaking, which each worker tries to take."""
    with database.reading() as session:
        speaks = leases.holder(session, SPEAKING, clock(), is_gone)
    if speaks is None:
        words = "No worker speaks to Slack: none runs, or Slack does not let it. No card comes and nothing is trained."
        yield note("worker", words, "`goldloop run`, or `goldloop worker` beside `goldloop web`.")
    else:
        yield good("worker", f"{in_words(speaks)} speaks to Slack")


def dead_jobs(database: Database) -> Findings:
    with database.reading() as session:
        dead = backlog.dead_jobs(session)
    for job in dead:
        words = f"{job.name} ({job.key}) failed for good: {job.error or 'no reason was noted'}"
        yield bad("jobs", words, "Mend the reason, then run `goldloop retrain`. This goes when a later one is done.")
    if not dead:
        yield good("jobs", "none has failed for good")
