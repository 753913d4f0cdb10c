"""Slow clients: connections that do not complete a request are closed, so that other clients can connect.

uvicorn has no public way to ask a connection for the state of its request. Its versions are bounded in pyproject.toml,
and tests/operations/test_dependencies.py fails, naming the attribute, if a version no longer has an attribute that is
read here.
"""

import asyncio
import time
from operator import itemgetter
from typing import Any

import uvicorn
from starlette.types import ASGIApp

WAITING = 128  # connections that the system queues until uvicorn accepts them
LOOK_SECONDS = 0.5  # between two checks for silent clients and for the end; uvicorn's own ten checks a second cost more
TICK_SECONDS = 0.1  # the step of uvicorn's counter, by which it tells when a second is over
SILENT_SECONDS = 10.0  # for a request to arrive completely; Slack's take a hundredth of it
LONG_BODY_SECONDS = 300.0  # for a body that keeps arriving, such as an import over a slow line
MOST_SILENT = 200  # connections without a request yet; above this number, the oldest are closed


class Fenced(uvicorn.Server):
    """uvicorn with a time limit for incomplete requests. uvicorn itself has none, and a process has about a thousand
    connections, so a client that only opens connections could lock out all others."""

    def __init__(self, app: ASGIApp, stop_seconds: int | None = None) -> None:
        config = uvicorn.Config(
            app, log_config=None, log_level="warning", access_log=False, timeout_graceful_shutdown=stop_seconds,
            backlog=WAITING,
        )  # fmt: skip
        super().__init__(config)
        self._silent: dict[Any, float] = {}  # connection -> since when its request is incomplete

    async def main_loop(self) -> None:
        counter = 0
        while not await self.on_tick(counter):
            await asyncio.sleep(LOOK_SECONDS)
            counter += round(LOOK_SECONDS / TICK_SECONDS)

    async def on_tick(self, counter: int) -> bool:
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
    """Seconds that a connection may take to complete its request. None: it has no request in progress, or uvicorn's own
    keep-alive limit applies."""
    cycle = getattr(connection, "cycle", None)  # the present request, or the previous one
    if cycle is None:
        return SILENT_SECONDS
    if cycle.more_body:
        return 1.0 if cycle.response_complete else LONG_BODY_SECONDS
    began_another = cycle.response_complete and connection.timeout_keep_alive_task is None
    return SILENT_SECONDS if began_another else None
