"""Whether something was said already by an attempt whose outcome nobody heard: Slack's own record is looked through
before it is said again."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.slack.speaking.refusals import CONNECTION, UnsureError

PAGE = 200
MOST_PAGES = 10  # 2,000 messages of a channel in the time since it was first to be said
CLOCKS_APART = timedelta(hours=1)  # ours and Slack's


def message_ts(slack: WebClient, channel: str, event_type: str, payload: dict[str, Any], since: datetime) -> str | None:
    """The ts of the message that carries this metadata; None if there is none. Raises UnsureError if that cannot be
    seen now."""
    oldest = f"{(since - CLOCKS_APART).timestamp():.6f}"
    for found in _messages(slack, channel, oldest):
        metadata = found.get("metadata") or {}
        if metadata.get("event_type") == event_type and metadata.get("event_payload") == payload:
            return str(found["ts"])
    return None


def _messages(slack: WebClient, channel: str, oldest: str) -> Iterator[dict[str, Any]]:
    """Newest first."""
    cursor = None
    for _page in range(MOST_PAGES):
        try:
            page = slack.conversations_history(
                channel=channel, oldest=oldest, limit=PAGE, cursor=cursor, include_all_metadata=True
            )
        except (SlackApiError, *CONNECTION) as error:
            raise UnsureError(error) from error
        yield from page["messages"]
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            return


def has_file(slack: WebClient, channel: str, thread_ts: str, name: str, title: str) -> bool:
    """Whether the thread has a file of this name and title. Raises UnsureError if that cannot be seen now."""
    try:
        thread = slack.conversations_replies(channel=channel, ts=thread_ts, limit=PAGE)["messages"]
    except (SlackApiError, *CONNECTION) as error:
        raise UnsureError(error) from error
    files = [file for message in thread for file in message.get("files") or []]
    return any((file.get("name"), file.get("title")) == (name, title) for file in files)
