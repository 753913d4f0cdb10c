"""Queries to Slack about people: the members of a channel, and who is active."""

from collections.abc import Iterable, Iterator
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from core.people.members import Person
from core.vocabulary import InactiveReason

UNKNOWN = ("user_not_found", "users_not_found", "user_not_visible")
MOST_SINGLY = 50  # people asked about one by one: Slack allows a hundred a minute, but lists a thousand at once
LISTED_AT_ONCE = 999

User = dict[str, Any]


def channel_members(slack: WebClient, channel: str) -> Iterator[str]:
    cursor = ""
    while True:
        page = slack.conversations_members(channel=channel, limit=200, cursor=cursor)
        yield from page["members"]
        cursor = _next_cursor(page)
        if not cursor:
            return


def asked_about(slack: WebClient, ids: Iterable[str], team: str) -> Iterator[Person]:
    """Yield each person with the reason why they may not act, if there is one. Raises SlackApiError if Slack does not
    answer."""
    wanted = list(ids)
    listed = {user["id"]: user for user in _all_users(slack)} if len(wanted) > MOST_SINGLY else {}
    for person in wanted:
        user = listed.get(person) or _asked_singly(slack, person)  # people of other workspaces are not listed
        yield Person(person, _why_inactive(user, team) if user else InactiveReason.UNKNOWN)


def _all_users(slack: WebClient) -> Iterator[User]:
    cursor = ""
    while True:
        page = slack.users_list(limit=LISTED_AT_ONCE, cursor=cursor)
        yield from page["members"]
        cursor = _next_cursor(page)
        if not cursor:
            return


def _asked_singly(slack: WebClient, person: str) -> User | None:
    try:
        found: User = slack.users_info(user=person)["user"]
    except SlackApiError as error:
        if error.response.get("error") not in UNKNOWN:
            raise
        return None
    return found


def _next_cursor(page: Any) -> str:
    return (page.get("response_metadata") or {}).get("next_cursor") or ""


def _why_inactive(user: User, team: str) -> InactiveReason | None:
    if user.get("deleted"):
        return InactiveReason.DEACTIVATED
    if user.get("is_bot"):
        return InactiveReason.BOT
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return InactiveReason.GUEST
    if user.get("is_stranger") or user.get("team_id", team) != team:
        return InactiveReason.OTHER_WORKSPACE
    return None
