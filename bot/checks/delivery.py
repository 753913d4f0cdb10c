"""What waits to be said or done, and what was given up."""

from collections.abc import Callable
from datetime import datetime

from bot.checks.finding import Findings, bad, good
from core.database import Database
from core.delivery import backlog

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
}
AGAIN = "Then run `goldloop redeliver`."


def undelivered(database: Database, clock: Callable[[], datetime]) -> Findings:
    with database.reading() as session:
        given_up, waiting = backlog.given_up(session), backlog.waiting(session)
    for lost in given_up:
        remedy = REMEDIES.get(lost.reason, "Look for the reason in the log and at Slack's page about it.")
        yield bad("delivery", f"{lost.count} messages to {lost.channel}: {lost.reason}", f"{remedy} {AGAIN}")
    late = (clock() - waiting.since).total_seconds() if waiting.since else 0
    if late > LATE:
        words = f"{waiting.count} messages wait, one for {late / 60:.0f} minutes."
        yield bad("delivery", words, "Is a worker running (`goldloop run` or `goldloop worker`)? See its log.")
    elif not given_up:
        yield good("delivery", f"{waiting.count} messages wait" if waiting.count else "no message waits")


def dead_jobs(database: Database) -> Findings:
    with database.reading() as session:
        dead = backlog.dead_jobs(session)
    for job in dead:
        words = f"{job.name} ({job.key}) failed for good: {job.error or 'no reason was noted'}"
        yield bad("jobs", words, "Mend the reason, then run `goldloop retrain`. This goes when a later one is done.")
    if not dead:
        yield good("jobs", "none has failed for good")
