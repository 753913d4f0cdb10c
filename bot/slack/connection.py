"""Socket Mode: Slack reaches us over a websocket that we open, so no public address is needed."""

from collections.abc import Iterator
from contextlib import contextmanager

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler

CONCURRENCY = 32  # clicks handled at once; Bolt's ten let the others wait past Slack's three seconds


@contextmanager
def socket_mode(app: App, app_token: str) -> Iterator[SocketModeHandler]:
    """Connected until the block is left. Reconnecting is the SDK's business."""
    handler = SocketModeHandler(app, app_token, concurrency=CONCURRENCY)
    handler.connect()
    try:
        yield handler
    finally:
        handler.close()
