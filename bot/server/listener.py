"""How a process listens: its port, and the small server of one whose work needs none."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI

from bot.server.slow_clients import WAITING, Fenced

log = logging.getLogger(__name__)

STOP_SECONDS = 2  # for requests at hand when the process ends


@contextmanager
def listening(app: FastAPI, host: str, port: int) -> Iterator[None]:
    """Answers until the block is left. A port that is taken is said, and no reason to stay away from work: on one
    machine several processes may be given the same."""
    try:
        taken = bound(host, port)
    except OSError as error:
        words = "Port %d cannot be had (%s), so this process is not to be watched, nor reached over HTTP; set PORT."
        log.warning(words, port, error.strerror)
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


def bound(host: str, port: int) -> socket.socket:
    """Listens. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # said, or asyncio leaves Nagle's delay on
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(WAITING)
    except OSError:
        made.close()
        raise
    return made
