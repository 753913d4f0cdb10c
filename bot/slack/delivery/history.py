"""A channel's messages, read from Slack."""

from collections.abc import Iterator
from typing import Any

from slack_sdk import WebClient

PAGE = 200
MOST = 10 * PAGE  # the most messages that are searched; going back further would take too long


def newest_first(slack: WebClient, channel: str, oldest: str) -> Iterator[dict[str, Any]]:
    """Yield the messages from the ts `oldest` on with their metadata, newest first, at most `MOST`. Raises the errors
    of Slack and of the connection."""
    cursor = None
    for _page in range(MOST // PAGE):
        page = slack.conversations_history(
            channel=channel, oldest=oldest, inclusive=True, limit=PAGE, cursor=cursor, include_all_metadata=True
        )
        yield from page["messages"]
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            return
