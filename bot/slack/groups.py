"""Slack user groups that hold a role: who is in them, asked of Slack and stored. Asked only of those that the policy
names, so that the scope is needed only there."""

import logging

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.wiring import Services
from core.database import PATIENT
from core.queues import forget_groups_except, sync_group

GONE = "no_such_subteam"  # deleted, disabled, or never there: nobody holds a role by it

log = logging.getLogger(__name__)


def refresh_groups(services: Services) -> None:
    """Store who is in each user group of the policy. Where Slack does not tell, those known last stay: nobody loses a
    role because a call failed."""
    named = services.policy.groups
    found = {group: people_of_group(services.slack, group) for group in named}
    with services.database.transaction(wait=PATIENT) as session:
        forget_groups_except(session, named)
        for group, people in found.items():
            if people is not None:
                sync_group(session, group, people)


def people_of_group(slack: WebClient, group: str) -> list[str] | None:
    """Their ids, guests and deactivated people among them; None where Slack does not tell."""
    try:
        return [str(person) for person in slack.usergroups_users_list(usergroup=group)["users"]]
    except SlackApiError as error:
        reason = str(error.response.get("error"))
    except OSError as error:
        reason = type(error).__name__
    log.warning("a user group cannot be read", extra={"group": group, "reason": reason})
    return [] if reason == GONE else None
