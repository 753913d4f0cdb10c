"""What waits for people: items for a lead, candidates for a decision, a paused queue. Nothing has failed."""

from collections.abc import Sequence

from bot.checks.finding import Findings, note
from bot.wording.numbers import count
from core.review.overview import QueueOverview


def waiting_for_people(queues: Sequence[QueueOverview]) -> Findings:
    for queue in queues:
        if queue.paused:
            words = f"{queue.name} is paused: no new cards are posted."
            yield note("queues", words, f"Run `goldloop resume -q {queue.name}` to go on.")
        if queue.disputed:
            words = f"Reviewers could not settle {count(queue.disputed, 'item')} of {queue.name}."
            yield note("leads", words, "Ask a lead to settle what is disputed, on the cards.")
        if queue.candidates:
            words = f"A decision is pending on {', '.join(queue.candidates)} of {queue.name}."
            yield note("leads", words, "Ask a lead to react to the report in the leads' channel.")
