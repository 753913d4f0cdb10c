"""Deduplication of messages: after an attempt with an unknown outcome, Slack's history is searched before the message
is posted again."""

from datetime import datetime, timedelta
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.slack.delivery.history import PAGE, newest_first
from bot.slack.errors import CONNECTION, UnsureError

CLOCKS_APART = timedelta(hours=1)  # the largest difference between this machine's clock and Slack's


def message_ts(slack: WebClient, channel: str, event_type: str, payload: dict[str, Any], since: datetime) -> str | None:
    """The ts of the message that carries this metadata; None if there is none. Raises UnsureError if that cannot be
    seen now."""
    oldest = f"{(since - CLOCKS_APART).timestamp():.6f}"
    try:
        for found in newest_first(slack, channel, oldest):
            metadata = found.get("metadata") or {}
            if (metadata.get("event_type"), metadata.get("event_payload")) == (event_type, payload):
                return str(found["ts"])
    except (SlackApiError, *CONNECTION) as error:
        raise UnsureError(error) from error
    return None


def has_file(slack: WebClient, channel: str, thread_ts: str, name: str) -> bool:
    """Whether the thread has a file of this name. Titles are not compared, because Slack may return a queue's words in
    another form. Raises UnsureError if the thread cannot be read now."""
    try:
        thread = slack.conversations_replies(channel=channel, ts=thread_ts, limit=PAGE)["messages"]
    except (SlackApiError, *CONNECTION) as error:
        raise UnsureError(error) from error
    files = [file for message in thread for file in message.get("files") or []]
    return any(file.get("name") == name for file in files)
