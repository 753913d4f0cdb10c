"""A channel's messages, read from Slack."""

from collections.abc import Iterator
from typing import Any

from slack_sdk import WebClient

PAGE = 200
MOST = 10 * PAGE  # messages that are looked through; before them a look would take longer than what it is for


def newest_first(slack: WebClient, channel: str, oldest: str) -> Iterator[dict[str, Any]]:
    """The messages from the ts `oldest` on, with their metadata; of more than MOST, the newest. Raises what Slack or
    the connection says."""
    cursor = None
    for _page in range(MOST // PAGE):
        page = slack.conversations_history(
            channel=channel, oldest=oldest, inclusive=True, limit=PAGE, cursor=cursor, include_all_metadata=True
        )
        yield from page["messages"]
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            return
