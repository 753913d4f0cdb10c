"""The policy's people and user groups: they must exist and be active, and enough of them must be able to act."""

from collections.abc import Generator, Iterable
from functools import partial

from slack_sdk import WebClient

from bot.checks.answers import answered
from bot.checks.finding import Finding, Findings, bad, good, note
from bot.slack.directory.groups import enabled_groups, people_of_group
from bot.slack.directory.lookup import asked_about, channel_members
from core.people.members import Person
from core.people.permissions import why_inactive
from core.policy import Policy, QueuePolicy, is_group
from core.vocabulary import Role


def people(slack: WebClient, policy: Policy, team: str) -> Findings:
    known = yield from _groups(slack, policy.groups)
    for queue in policy.queues:
        yield from _role(slack, queue, Role.LEAD, team, known, queue.promotion.approvals)
        if queue.admins:
            yield from _role(slack, queue, Role.ADMIN, team, known, 1)
        yield from _reviewers(slack, queue, team, known)


def _groups(slack: WebClient, named: list[str]) -> Generator[Finding, None, dict[str, list[str]]]:
    """Check the user groups. Returns the members of each group that can be read."""
    known: dict[str, list[str]] = {}
    enabled = answered("user groups", lambda: enabled_groups(slack), groups=True) if named else set()
    if isinstance(enabled, Finding):
        yield enabled
        return known
    for group in named:
        if group not in enabled:
            remedy = "Check the id in the policy (S…, not the handle), or re-enable the user group in Slack."
            yield bad(f"user group {group}", "The user group does not exist or is disabled.", remedy)
            continue
        found = answered(f"user group {group}", partial(people_of_group, slack, group), groups=True)
        if isinstance(found, Finding):
            yield found
        else:
            known[group] = found
    return known


def _reviewers(slack: WebClient, queue: QueuePolicy, team: str, known: dict[str, list[str]]) -> Findings:
    """Check the reviewers: the policy's list; without one, the channel's members except guests and bots."""
    needed = min(2, queue.consensus.votes)
    if queue.reviewers:
        yield from _role(slack, queue, Role.REVIEWER, team, known, needed)
        return
    subject = f"reviewers of {queue.name}"
    found = answered(subject, lambda: list(asked_about(slack, channel_members(slack, queue.channel), team)))
    yield found if isinstance(found, Finding) else _enough(subject, found, needed)


def _role(
    slack: WebClient, queue: QueuePolicy, role: Role, team: str, known: dict[str, list[str]], needed: int
) -> Findings:
    """Check the people with a role. A person who is listed by id and cannot act is a failure; in a user group or a
    channel, that is normal."""
    subject = f"{role.value}s of {queue.name}"
    named = [one for one in queue.named(role) if not is_group(one)]
    in_groups = [person for one in queue.named(role) for person in known.get(one, [])]
    found = answered(subject, lambda: list(asked_about(slack, _each_once(named, in_groups), team)))
    if isinstance(found, Finding):
        yield found
        return
    for person in found:
        if person.inactive_because and person.id in named:
            remedy = f"Remove {person.id} from the list in the policy, or replace the id."
            yield bad(subject, f"{person.id} can't act: {why_inactive(person.inactive_because)}.", remedy)
    yield _enough(subject, found, needed)


def _each_once(*ids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(one for some in ids for one in some))


def _enough(subject: str, found: list[Person], needed: int) -> Finding:
    active = sum(not person.inactive_because for person in found)
    if active == 0:
        return bad(subject, "No active people.", "Add people to the policy, or invite them to the channel.")
    if active < needed:
        return note(subject, f"{active} active, but a decision needs {needed}.", "Add more people to the policy.")
    return good(subject, f"{active} active")
