"""Socket Mode: Slack reaches us over a websocket that we open, so no public address is needed."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.observability.liveness import SocketState
from bot.slack.inbound.requests import ANSWERED_WITHIN, read_request
from bot.slack.inbound.socket_watch import CHECK_SECONDS, OPEN_SECONDS, SocketWatch, wake

log = logging.getLogger(__name__)

CONCURRENCY = 64  # requests handled at once; the others wait, which they can only while each of these is quick


@contextmanager
def socket_mode(app: App, app_token: str) -> Iterator[SocketModeHandler]:
    """Connect until the block is left. The SDK follows Slack's request for a new socket; `SocketWatch` replaces a dead
    one. At the end, requests under way are acknowledged before the socket is closed."""
    slack, receiver = _opening_client(app.client), _Receiver(app)
    handler = SocketModeHandler(app, app_token, web_client=slack, concurrency=CONCURRENCY, ping_interval=CHECK_SECONDS)
    handler.client.socket_mode_request_listeners = [receiver.receive]
    handler.client.current_session_runner.target = partial(read_session, handler.client)
    handler.client.current_app_monitor.target = SocketWatch(handler.client).check
    handler.connect()
    try:
        yield handler
    finally:
        receiver.finish()
        _wake_its_threads(handler)
        handler.close()


def _opening_client(client: WebClient) -> WebClient:
    """A client with a short deadline: a person may be waiting behind the socket."""
    return WebClient(
        client.token, client.base_url, OPEN_SECONDS, client.ssl, client.proxy, headers=client.headers, retry_handlers=[]
    )


def read_session(client: SocketModeClient) -> None:
    """Reads the current session until it ends. The SDK's own method marks the state as alive first. If another thread
    reconnects at that moment, it reads the closed session forever: the new one is never read, and `close` hangs."""
    state = client.current_session_state  # before the session: `connect` replaces the session first
    session = client.current_session
    if session is not None and session.is_active():
        session.run_until_completion(state)


class _Receiver:
    """Answers envelopes, each in a thread of the SDK."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._changed = threading.Condition()
        self._under_way = 0

    def receive(self, client: BaseSocketModeClient, envelope: SocketModeRequest) -> None:
        with self._changed:
            self._under_way += 1
        try:
            _receive(self._app, client, envelope)
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def finish(self) -> None:
        """Wait until no request is under way, for as long as one may take."""
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way, ANSWERED_WITHIN)


def _receive(app: App, client: BaseSocketModeClient, envelope: SocketModeRequest) -> None:
    """Check a payload against the same schema as over HTTP, then pass it on. A payload that Slack never sends is not
    acknowledged."""
    asked = read_request(lambda: BoltRequest(mode="socket_mode", body=envelope.payload))
    if asked is None:
        log.warning("Invalid socket message")
        return
    _acknowledge(client, envelope, app.dispatch(asked))


def _acknowledge(client: BaseSocketModeClient, envelope: SocketModeRequest, answer: BoltResponse) -> None:
    """Send the listener's answer, which is JSON or nothing. Without status 200 nothing is sent, and Slack delivers an
    event again."""
    if answer.status == 200:
        payload = json.loads(answer.body) if answer.body else None
        client.send_socket_mode_response(SocketModeResponse(envelope.envelope_id, payload))


def socket_state(handler: SocketModeHandler) -> SocketState:
    """Silence is no fault: nothing may happen in Slack for hours. An unanswered ping is one."""
    session = handler.client.current_session
    answered = session.last_ping_pong_time if session is not None else None
    return SocketState(handler.client.is_connected(), None if answered is None else max(0.0, time.time() - answered))


def _wake_its_threads(handler: SocketModeHandler) -> None:
    """Wake the SDK's threads, so that they end at once. One reads from the socket, and closing the socket does not wake
    it; another waits a second for the next message. Without this, ending takes four seconds."""
    client = handler.client
    client.auto_reconnect_enabled, client.closed = False, True
    client.message_queue.put(None)
    wake(client.current_session)
