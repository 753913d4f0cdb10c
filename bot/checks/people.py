"""Leads and reviewers of the policy: there, active, and enough of them."""

from collections.abc import Iterable, Iterator

from slack_sdk import WebClient

from bot.checks.answers import answered
from bot.checks.finding import Finding, Findings, bad, good, note
from bot.slack.people import asked_about, channel_members
from core.policy import Policy, QueuePolicy
from core.queues import Person


def people(slack: WebClient, policy: Policy, team: str) -> Findings:
    for queue in policy.queues:
        yield from _group(slack, queue, "leads", queue.leads, team, queue.promotion.approvals)
        yield from _reviewers(slack, queue, team)


def _reviewers(slack: WebClient, queue: QueuePolicy, team: str) -> Findings:
    """Without a list in the policy it is the channel's members, among whom guests and bots are nothing unusual."""
    needed = min(2, queue.consensus.votes)
    if queue.reviewers:
        yield from _group(slack, queue, "reviewers", queue.reviewers, team, needed)
        return
    subject = f"reviewers of {queue.name}"
    found = answered(subject, lambda: list(asked_about(slack, channel_members(slack, queue.channel), team)))
    yield found if isinstance(found, Finding) else _enough(subject, found, needed)


def _group(
    slack: WebClient, queue: QueuePolicy, role: str, ids: Iterable[str], team: str, needed: int
) -> Iterator[Finding]:
    subject = f"{role} of {queue.name}"
    found = answered(subject, lambda: list(asked_about(slack, dict.fromkeys(ids), team)))
    if isinstance(found, Finding):
        yield found
        return
    for person in found:
        if person.inactive_because:
            remedy = f"Take {person.id} off the list in the policy, or name the right person by id."
            yield bad(subject, f"{person.id} may not act: {person.inactive_because}.", remedy)
    yield _enough(subject, found, needed)


def _enough(subject: str, found: list[Person], needed: int) -> Finding:
    active = sum(not person.inactive_because for person in found)
    if active == 0:
        return bad(subject, "Nobody can act.", "Name people in the policy, or let them join the channel.")
    if active < needed:
        return note(
            subject, f"{active} can act, {needed} are needed for a decision.", "Name more people in the policy."
        )
    return good(subject, f"{active} can act")
