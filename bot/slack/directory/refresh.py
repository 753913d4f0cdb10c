"""The refresh of people, user groups and channels from Slack, periodically and on events. The result is stored as rows,
so that no click waits for Slack."""

import logging
import threading
from collections.abc import Iterable

from slack_sdk.errors import SlackApiError

from bot.runtime.services import Services
from bot.slack.directory.groups import refresh_groups
from bot.slack.directory.lookup import asked_about, channel_members
from bot.slack.errors import Kind, kind_of, words_of
from core.delivery import outbox
from core.people.groups import people_named
from core.people.members import Person, members, sync_members
from core.policy import QueuePolicy
from core.policy_in_force.versions import newest_version
from core.queues import queue_named
from core.storage.database import PATIENT
from core.vocabulary import Role

log = logging.getLogger(__name__)

ONE_AT_A_TIME = threading.Lock()  # an older answer must not overwrite a newer one


def refresh_people(services: Services) -> bool:
    """Update the members' rows from the policy and from Slack. Always returns False: nothing is left to do. If Slack
    does not answer about people, nothing changes; about a user group, its last known members stay. If another policy
    was put in force meanwhile, the answers for the former one are not stored."""
    if services.budget.is_silent():
        return False
    with ONE_AT_A_TIME:
        held = services.in_force.held
        team = str(services.slack.auth_test()["team_id"])
        refresh_groups(services, held)
        named = [{role: list(_ids(services, queue, role)) for role in Role} for queue in held.policy.queues]
        wanted = dict.fromkeys(person for roles in named for people in roles.values() for person in people)
        known = {person.id: person for person in asked_about(services.slack, wanted, team)}
        for queue, roles in zip(held.policy.queues, named, strict=True):
            _store_members(
                services,
                held.version,
                queue,
                {role: [known[person] for person in people] for role, people in roles.items()},
            )
    for channel in held.policy.channels:
        _deliver_again(services, channel)
    return False


def _store_members(services: Services, version: int, queue: QueuePolicy, people: dict[Role, list[Person]]) -> None:
    if not queue.reviewers:
        people[Role.REVIEWER] = [person for person in people[Role.REVIEWER] if not person.inactive_because]
    with services.database.transaction(wait=PATIENT) as session:
        if newest_version(session) != version:
            return
        row = queue_named(session, queue.name)
        for role, seated in people.items():
            sync_members(session, row.id, role, seated)


def _ids(services: Services, queue: QueuePolicy, role: Role) -> Iterable[str]:
    """The people with this role in the policy; if it lists no reviewers, all members of the channel."""
    if role is Role.REVIEWER and not queue.reviewers:
        return _people_in_channel(services, queue)
    with services.database.reading() as session:
        return people_named(session, queue.named(role))


def _people_in_channel(services: Services, queue: QueuePolicy) -> list[str]:
    """The channel's members. If the bot can no longer see them, the last known ones, because it may be invited
    again."""
    try:
        return list(channel_members(services.slack, queue.channel))
    except SlackApiError as error:
        reason = str(error.response.get("error"))
        if kind_of(reason) is not Kind.CHANNEL:
            raise
    log.warning("Channel is not visible", extra={"channel": queue.channel, "reason": reason})
    with services.database.reading() as session:
        return members(session, queue_named(session, queue.name).id, Role.REVIEWER)


def _deliver_again(services: Services, channel: str) -> None:
    """Retry messages that were given up if the bot has been invited or the channel unarchived."""
    try:
        found = services.slack.conversations_info(channel=channel)["channel"]
    except SlackApiError as error:
        log.warning("Channel is not visible", extra={"channel": channel, "reason": error.response.get("error")})
        return
    if found.get("is_member") and not found.get("is_archived"):
        with services.database.transaction(wait=PATIENT) as session:
            outbox.revive(session, channel, words_of(Kind.CHANNEL), services.clock())
