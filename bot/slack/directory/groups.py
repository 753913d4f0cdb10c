"""The members of Slack user groups with a role, fetched from Slack and stored. Only the policy's groups are fetched, so
that the scope for it is needed only if there are any."""

import logging
from collections.abc import Callable
from typing import TypeVar

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.runtime.policy_in_force import Held
from bot.runtime.services import Services
from core.people.groups import forget_groups_except, sync_group
from core.policy_in_force.versions import newest_version
from core.storage.database import PATIENT

Told = TypeVar("Told")

log = logging.getLogger(__name__)


def refresh_groups(services: Services, held: Held) -> None:
    """Store the members of each user group in the policy. If Slack does not answer, the last known members stay:
    a failed call must not take roles away. They also stay if another policy was put in force meanwhile. A group that
    Slack does not list (deleted, disabled) has no members."""
    named = held.policy.groups
    enabled = _answer_of("all", lambda: enabled_groups(services.slack)) if named else None
    found = {group: _people(services.slack, group, enabled) for group in named}
    with services.database.transaction(wait=PATIENT) as session:
        if newest_version(session) != held.version:
            return
        forget_groups_except(session, named)
        for group, people in found.items():
            if people is not None:
                sync_group(session, group, people)


def enabled_groups(slack: WebClient) -> set[str]:
    """Ids of all enabled groups: Slack omits disabled ones unless they are requested."""
    return {str(group["id"]) for group in slack.usergroups_list()["usergroups"]}


def people_of_group(slack: WebClient, group: str) -> list[str]:
    """Ids of the members, including guests and deactivated people."""
    return [str(person) for person in slack.usergroups_users_list(usergroup=group)["users"]]


def _people(slack: WebClient, group: str, enabled: set[str] | None) -> list[str] | None:
    """The members; None if Slack does not answer."""
    if enabled is not None and group not in enabled:
        log.warning("User group in the policy does not exist", extra={"group": group})
        return []
    return _answer_of(group, lambda: people_of_group(slack, group)) if enabled is not None else None


def _answer_of(group: str, ask: Callable[[], Told]) -> Told | None:
    try:
        return ask()
    except SlackApiError as error:
        reason = str(error.response.get("error"))
    except OSError as error:
        reason = type(error).__name__
    log.warning("User group cannot be read", extra={"group": group, "reason": reason})
    return None
