"""The listening socket of a process, and the small HTTP server of a process that Slack does not call."""

import errno
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp

from bot.server.slow_clients import WAITING, Fenced

log = logging.getLogger(__name__)

STOP_SECONDS = 2  # to finish requests in progress when the process ends


@contextmanager
def listening(app: ASGIApp, host: str, port: int) -> Iterator[None]:
    """Serve until the block is left. If the port cannot be used, log it and continue without a server: on one machine,
    several processes may be set to the same port."""
    try:
        taken = bound(host, port)
    except OSError as error:
        log.warning("%s This process runs without /health, /metrics and the API.", port_problem(port, error))
        yield
        return
    server = Fenced(app, stop_seconds=STOP_SECONDS)
    thread = threading.Thread(target=server.run, args=([taken],), name="listener", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
        taken.close()


def port_problem(port: int, error: OSError, setting: str = "PORT") -> str:
    """A sentence on why the port cannot be used, and what to do. setting: the name of the setting for the port."""
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is already in use. Set {setting} to another."
    return f"Goldloop cannot listen on port {port}: {error.strerror or error}. Check HOST and PORT."


def bound(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(
        family, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )  # explicit, because asyncio disables Nagle's algorithm only then
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(WAITING)
    except OSError:
        made.close()
        raise
    return made
