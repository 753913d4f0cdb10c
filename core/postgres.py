"""Connections to PostgreSQL that nobody waits for longer than they may (core/patience.py).

The server's own time-outs are of no use where the network swallows everything: neither they nor TCP notice for minutes.
So the one place where psycopg waits looks at the clock, and connecting (names are looked up there, too) is done by
threads that nobody has to wait for.
"""

import time
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import psycopg

from core import patience

CONNECT_SECONDS = 5  # after which an attempt to connect ends, whoever still waits for it
LOOK_SECONDS = 0.05  # how often a waiting thread looks at the clock

T = TypeVar("T")


class NoAnswer(psycopg.OperationalError):
    """The server, or the way to it, did not answer in time."""


class PromptConnection(psycopg.Connection[Any]):
    """Is closed when an answer does not come in time: what arrives later would be taken for the next one's."""

    def wait(self, gen: Generator[Any, Any, T], *arguments: Any, **more: Any) -> T:
        """Raises NoAnswer."""
        seconds = patience.for_an_answer()
        if seconds is None:
            return super().wait(gen, *arguments, **more)
        try:
            return super().wait(_until(time.monotonic() + seconds, gen), interval=LOOK_SECONDS)
        except NoAnswer:
            self.close()
            raise


class Connector:
    """Makes connections for SQLAlchemy (its event `do_connect`)."""

    def __init__(self, at_once: int) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="connect")

    def __call__(self, _dialect: Any, _record: Any, arguments: list[Any], parameters: dict[str, Any]) -> Any:
        """Raises NoAnswer, or psycopg's own errors. A connection that comes too late is closed."""
        connecting = self._threads.submit(PromptConnection.connect, *arguments, **parameters)
        try:
            return connecting.result(patience.for_a_connection())
        except TimeoutError:
            if not connecting.cancel():
                connecting.add_done_callback(_close)
            raise NoAnswer("no connection in time") from None

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _until(end: float, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
    """The same questions to the socket as `gen` asks, until `end`. What has arrived by then is still looked at."""
    try:
        wanted = next(gen)
        while True:
            wanted = gen.send((yield wanted))
            if time.monotonic() >= end:
                raise NoAnswer("no answer in time")
    except StopIteration as done:
        result: T = done.value
        return result


def _close(connecting: Future[PromptConnection]) -> None:
    if not connecting.cancelled() and connecting.exception() is None:
        connecting.result().close()
