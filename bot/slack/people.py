"""Who is in the channels, asked of Slack by a job and on events, and stored as rows: no click ever waits for it."""

import logging
from collections.abc import Iterable, Iterator
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.slack.deliver import CHANNEL_REASONS
from bot.slack.payloads import Body
from bot.wiring import Services
from core.database import PATIENT
from core.delivery import outbox
from core.errors import NotAllowed
from core.policy import QueuePolicy
from core.queues import Person, queue_named, sync_members
from core.vocabulary import Role

log = logging.getLogger(__name__)

CHANGES = ("member_joined_channel", "member_left_channel", "user_change", "team_join")


def register(app: App, services: Services) -> None:
    def something_changed(ack: Ack) -> None:
        ack()

    def refresh(event: Body) -> None:
        refresh_people(services)

    for name in CHANGES:
        app.event(name)(ack=something_changed, lazy=[refresh])


def refresh_people(services: Services) -> bool:
    """Bring the members' rows in line with the policy and with what Slack says. Always False: nothing more to do."""
    team = str(services.slack.auth_test()["team_id"])
    for queue in services.policy.queues:
        reviewers = list(asked_about(services.slack, _reviewer_ids(services.slack, queue), team))
        leads = list(asked_about(services.slack, queue.leads, team))
        if not queue.reviewers:
            reviewers = [person for person in reviewers if not person.inactive_because]
        with services.database.transaction(wait=PATIENT) as session:
            row = queue_named(session, queue.name)
            sync_members(session, row.id, Role.REVIEWER, reviewers)
            sync_members(session, row.id, Role.LEAD, leads)
        for channel in (queue.channel, queue.leads_channel):
            _deliver_again(services, channel)
    return False


def _deliver_again(services: Services, channel: str) -> None:
    """Somebody has invited the bot, or taken the channel out of the archive: what was given up is tried again."""
    try:
        found = services.slack.conversations_info(channel=channel)["channel"]
    except SlackApiError as error:
        log.warning("a channel cannot be seen", extra={"channel": channel, "reason": error.response.get("error")})
        return
    if found.get("is_member") and not found.get("is_archived"):
        with services.database.transaction(wait=PATIENT) as session:
            outbox.revive(session, channel, CHANNEL_REASONS, services.clock())


def require_colleague(services: Services, person: str) -> None:
    """Raise NotAllowed, with the reason, unless this is a full member of our workspace. Asks Slack, so never inside a
    transaction: of those who flag a message there need be no row."""
    team = str(services.slack.auth_test()["team_id"])
    [known] = asked_about(services.slack, [person], team)
    if known.inactive_because:
        raise NotAllowed(f"You may not flag messages for review: {known.inactive_because}.")


def _reviewer_ids(slack: WebClient, queue: QueuePolicy) -> Iterable[str]:
    """The policy's list; without one, everybody in the channel."""
    return queue.reviewers or tuple(channel_members(slack, queue.channel))


def channel_members(slack: WebClient, channel: str) -> Iterator[str]:
    cursor = ""
    while True:
        page = slack.conversations_members(channel=channel, limit=200, cursor=cursor)
        yield from page["members"]
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return


def asked_about(slack: WebClient, ids: Iterable[str], team: str) -> Iterator[Person]:
    for person in ids:
        try:
            user = slack.users_info(user=person)["user"]
        except SlackApiError as error:
            if error.response.get("error") not in ("user_not_found", "users_not_found", "user_not_visible"):
                raise
            yield Person(person, "Slack does not know this person")
            continue
        yield Person(person, _why_inactive(user, team))


def _why_inactive(user: dict[str, Any], team: str) -> str:
    if user.get("deleted"):
        return "this account is deactivated"
    if user.get("is_bot"):
        return "bots do not review"
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return "guests may not act here"
    if user.get("is_stranger") or user.get("team_id", team) != team:
        return "people of other workspaces may not act here"
    return ""
