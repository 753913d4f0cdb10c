"""Socket Mode: Slack reaches us over a websocket that we open, so no public address is needed."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler

from bot.pulse import SocketState

CONCURRENCY = 64  # requests handled at once; the others wait, which they can only while each of these is quick


@contextmanager
def socket_mode(app: App, app_token: str) -> Iterator[SocketModeHandler]:
    """Connected until the block is left. Reconnecting is the SDK's business."""
    handler = SocketModeHandler(app, app_token, concurrency=CONCURRENCY)
    handler.connect()
    try:
        yield handler
    finally:
        _wake_the_reader(handler)
        handler.close()


def socket_state(handler: SocketModeHandler) -> SocketState:
    """Quiet is no fault: nothing may happen in Slack for hours. An unanswered ping is one."""
    session = handler.client.current_session
    answered = session.last_ping_pong_time if session is not None else None
    return SocketState(handler.client.is_connected(), None if answered is None else max(0.0, time.time() - answered))


def _wake_the_reader(handler: SocketModeHandler) -> None:
    """Closing a socket does not wake the thread that reads from it; without this, ending takes three seconds."""
    handler.client.auto_reconnect_enabled = False
    session = handler.client.current_session
    if session is not None and session.sock is not None:
        with suppress(OSError):
            session.sock.shutdown(socket.SHUT_RDWR)
