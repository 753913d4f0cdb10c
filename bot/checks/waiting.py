"""Work that waits for people: disputed items, candidates, paused queues. Also the failures that the database
records."""

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.checks.delivery import dead_jobs, undelivered, worker_at_work
from bot.checks.finding import Findings, Outcome, note
from bot.checks.labels import labels
from bot.checks.webhooks import webhooks
from bot.wording.numbers import count
from core.policy import Policy
from core.review.overview import QueueOverview
from core.storage.database import Database


def waiting_for_people(queues: Sequence[QueueOverview]) -> Findings:
    for queue in queues:
        if queue.paused:
            words = f"{queue.name} is paused: no new cards are posted."
            yield note("queues", words, f"Run `goldloop resume -q {queue.name}` to go on.")
        if queue.disputed:
            words = f"Reviewers could not settle {count(queue.disputed, 'item')} of {queue.name}."
            yield note("leads", words, "Ask a lead to settle the disputed items on their cards.")
        if queue.candidates:
            words = f"A decision is pending on {', '.join(queue.candidates)} of {queue.name}."
            yield note("leads", words, "Ask a lead to react to the report in the leads' channel.")


def troubles(database: Database, policy: Policy, clock: Callable[[], datetime]) -> Findings:
    for checked in (
        worker_at_work(database, clock),
        undelivered(database, clock),
        dead_jobs(database),
        webhooks(database, policy),
        labels(database, policy),
    ):
        yield from (finding for finding in checked if finding.outcome is not Outcome.GOOD)
