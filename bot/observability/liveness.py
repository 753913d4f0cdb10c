"""Liveness of this process: when each periodic task last ran, and the state of its socket."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class SocketState:
    """The state of the socket. ping_age: seconds since Slack last answered a ping; None: no ping yet on this
    connection."""

    connected: bool
    ping_age: float | None


class Liveness:
    """The times of the tasks' last runs. `clock` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._ticks: dict[str, float] = {}
        self.works = False  # this process runs a worker, so missing ticks are a failure
        self.socket: Callable[[], SocketState] | None = None  # None: this process has no socket

    def ticked(self, job: str) -> None:
        with self._lock:
            self._ticks[job] = self._clock()

    def tick_ages(self) -> dict[str, float]:
        """Seconds since each periodic task last started. A long task does not start again while it runs."""
        now = self._clock()
        with self._lock:
            return {job: now - at for job, at in self._ticks.items()}

    def tick_age(self) -> float | None:
        """Seconds since any task last started; None if none has. It shows whether the scheduler runs."""
        return min(self.tick_ages().values(), default=None)
