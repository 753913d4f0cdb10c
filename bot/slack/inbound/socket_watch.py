"""The watch over the socket to Slack: pings it every second, and opens another one when it is broken or silent.

The SDK's own check waits until five pings could not be sent. After a connection that ended without a close frame, as
after a killed server or a router that dropped it, the bot received nothing for 9 to 16 seconds.
"""

import logging
import os
import socket
import struct
import time
from contextlib import suppress
from urllib.parse import urlsplit

from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.builtin.connection import Connection

from core.storage.database_errors import Seldom

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.0  # from one ping to the next, and from one attempt to reach Slack to the next
MOST_UNANSWERED = 3  # pings in a row; one more second each until a silent socket is replaced
REACH_SECONDS = 1.0  # for a connection to Slack's address: TCP repeats its first packet after a second
OPEN_SECONDS = 5  # for Slack's answer to apps.connections.open, which takes tenths of a second
PAUSE_SECONDS = 3.0  # after Slack refused to open a socket
RESOLVE_EVERY = 60  # failed attempts until the name is looked up again: without a network that takes ten seconds
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, for 0 seconds
SELDOM = 60.0  # seconds between two log lines

Address = tuple[str, int]


class SocketWatch:
    """`check` is called every `CHECK_SECONDS`, from one thread.

    Silence is counted in pings and not in seconds, so that neither a clock that is set nor a process that was stopped
    looks like a dead socket. The old socket is kept until Slack has answered: it may recover.
    """

    def __init__(self, client: SocketModeClient) -> None:
        self._client = client
        self._session: Connection | None = None
        self._answered: float | None = None  # the last ping that was answered on it
        self._unanswered = 0
        self._not_before = 0.0  # monotonic
        self._misses = 0
        self._place = _place(client)
        self._address = _resolved(self._place)
        self._seldom = Seldom(SELDOM)

    def check(self) -> None:
        if self._client.closed:
            return
        try:
            if self._is_dead(self._client.current_session):
                self._reopen()
        except Exception as error:  # noqa: BLE001 - the thread must go on, whatever went wrong
            if isinstance(error, SlackApiError):
                self._not_before = time.monotonic() + PAUSE_SECONDS
            self._say("Socket to Slack could not be opened", str(error)[:300])

    def _is_dead(self, session: Connection | None) -> bool:
        if session is None or not session.is_active():
            return True
        silent = session is self._session and session.last_ping_pong_time == self._answered
        self._unanswered = self._unanswered + 1 if silent else 0
        self._session, self._answered = session, session.last_ping_pong_time
        try:
            session.ping(f"{session.session_id}:{time.time()}")
            if _has_ended(session):
                return True
        except OSError:
            return True
        return self._unanswered >= MOST_UNANSWERED

    def _reopen(self) -> None:
        if time.monotonic() < self._not_before or not self._reaches():
            return
        client = self._client
        with client.connect_operation_lock:
            client.wss_uri = client.issue_new_wss_url()
            _abandon(client.current_session)
            client.connect()
        log.info("Socket to Slack opened again", extra={"open": client.is_connected()})

    def _reaches(self) -> bool:
        """Whether Slack can be reached. The check is cheap, and its deadline short: the calls that follow it may take
        longer than a person waits who has clicked."""
        try:
            socket.create_connection(self._address, REACH_SECONDS).close()
        except OSError as error:
            self._misses += 1
            if self._misses % RESOLVE_EVERY == 0:
                self._address = _resolved(self._place)
            self._say("Slack cannot be reached", str(error))
            return False
        self._misses = 0
        return True

    def _say(self, message: str, reason: str) -> None:
        if self._seldom.may_say(message):
            log.warning(message, extra={"reason": reason})


def _has_ended(session: Connection) -> bool:
    """Whether the other side has ended the connection. The SDK's reader would take the end for an empty message."""
    if session.sock is None:
        return True
    with socket.socket(fileno=os.dup(session.sock.fileno())) as same:  # TLS sockets do not let one peek
        try:
            return same.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False


def _abandon(session: Connection | None) -> None:
    """Make the closing of a session reach Slack at once (by RST). An orderly end waits behind what TCP could not
    deliver, and until then Slack goes on sending to the dead socket."""
    if session is not None and session.sock is not None:
        with suppress(OSError):
            session.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    wake(session)


def wake(session: Connection | None) -> None:
    """End the wait for the next bytes of a session. Closing the session does not end it for up to three seconds."""
    if session is not None and session.sock is not None:
        with suppress(OSError):
            session.sock.shutdown(socket.SHUT_RDWR)


def _place(client: SocketModeClient) -> Address:
    """Host and port of our calls: Slack's, or those of the proxy."""
    url = urlsplit(client.proxy or client.web_client.proxy or client.web_client.base_url)
    return url.hostname or "", url.port or (443 if url.scheme == "https" else 80)


def _resolved(place: Address) -> Address:
    """The place with the first address of its name; unchanged if no name server answers."""
    with suppress(OSError):
        host, port = socket.getaddrinfo(*place, type=socket.SOCK_STREAM)[0][4][:2]
        return str(host), int(port)
    return place
