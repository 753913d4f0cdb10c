"""How a process listens: its port, who is cut off, and the small server of one whose work needs none."""

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter
from typing import Any

import uvicorn
from fastapi import FastAPI

log = logging.getLogger(__name__)

STOP_SECONDS = 2  # for requests at hand when the process ends
WAITING = 128  # connections that the system holds until we take them
TICKS = 5  # of uvicorn's ten a second, between two looks at who is silent
SILENT_SECONDS = 10.0  # for a request to be there whole; Slack's are in a hundredth of it
LONG_BODY_SECONDS = 300.0  # for a body that keeps coming, as an import over a slow line
MOST_SILENT = 200  # of whom nothing is known yet; of more, those who have waited longest go


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


class Fenced(uvicorn.Server):
    """uvicorn, but whoever connects has to say something soon: it sets no time for that, and a process has no more than
    about a thousand connections, so that a stranger who only opens them would shut everybody else out."""

    def __init__(self, app: FastAPI, stop_seconds: int | None = None) -> None:
        config = uvicorn.Config(
            app, log_config=None, log_level="warning", access_log=False, timeout_graceful_shutdown=stop_seconds,
            backlog=WAITING,
        )  # fmt: skip
        super().__init__(config)
        self._silent: dict[Any, float] = {}  # connection -> since when it owes us (the rest of) a request

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS == 0:
            self._close_silent(time.monotonic())
        return await super().on_tick(counter)

    def _close_silent(self, now: float) -> None:
        patience = {one: seconds for one in self.server_state.connections if (seconds := _patience(one)) is not None}
        self._silent = {one: self._silent.get(one, now) for one in patience}
        crowded = len(patience) - MOST_SILENT
        for place, (one, since) in enumerate(sorted(self._silent.items(), key=itemgetter(1))):
            if place < crowded or now - since > patience[one]:
                one.transport.abort()


def _patience(connection: Any) -> float | None:
    """How long a connection may owe us something; None: it owes nothing, or uvicorn's own time for one that is kept
    runs already."""
    cycle = getattr(connection, "cycle", None)  # the request at hand, or the last one
    if cycle is None:
        return SILENT_SECONDS
    if cycle.more_body:
        return 1.0 if cycle.response_complete else LONG_BODY_SECONDS
    began_another = cycle.response_complete and connection.timeout_keep_alive_task is None
    return SILENT_SECONDS if began_another else None


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
