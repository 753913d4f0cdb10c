"""Slack user groups that hold a role: who is in them, asked of Slack and stored. Asked only of those that the policy
names, so that the scope is needed only there."""

import logging
from collections.abc import Callable
from typing import TypeVar

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.runtime.services import Services
from core.people.groups import forget_groups_except, sync_group
from core.storage.database import PATIENT

Told = TypeVar("Told")

log = logging.getLogger(__name__)


def refresh_groups(services: Services) -> None:
    """Store who is in each user group of the policy. Where Slack does not tell, those known last stay: nobody loses a
    role because a call failed. One that Slack does not list (deleted, disabled, never there) gives nobody a role."""
    named = services.policy.groups
    enabled = _told("all", lambda: enabled_groups(services.slack)) if named else None
    found = {group: _people(services.slack, group, enabled) for group in named}
    with services.database.transaction(wait=PATIENT) as session:
        forget_groups_except(session, named)
        for group, people in found.items():
            if people is not None:
                sync_group(session, group, people)


def enabled_groups(slack: WebClient) -> set[str]:
    """Ids of all groups in use: Slack leaves disabled ones out unless it is asked for them."""
    return {str(group["id"]) for group in slack.usergroups_list()["usergroups"]}


def people_of_group(slack: WebClient, group: str) -> list[str]:
    """Their ids, guests and deactivated people among them."""
    return [str(person) for person in slack.usergroups_users_list(usergroup=group)["users"]]


def _people(slack: WebClient, group: str, enabled: set[str] | None) -> list[str] | None:
    """None where Slack does not tell."""
    if enabled is not None and group not in enabled:
        log.warning("the policy names a user group that is not there", extra={"group": group})
        return []
    return _told(group, lambda: people_of_group(slack, group)) if enabled is not None else None


def _told(group: str, ask: Callable[[], Told]) -> Told | None:
    try:
        return ask()
    except SlackApiError as error:
        reason = str(error.response.get("error"))
    except OSError as error:
        reason = type(error).__name__
    log.warning("a user group cannot be read", extra={"group": group, "reason": reason})
    return None
