"""Signs of life of this process: when each kind of work was last looked for, and how its socket is."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class SocketState:
    """ping_age: seconds since Slack last answered a ping; None: not asked yet on this connection."""

    connected: bool
    ping_age: float | None


class Liveness:
    """`clock` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._ticks: dict[str, float] = {}
        self.works = False  # whether this process runs a worker, so that missing ticks are a fault
        self.socket: Callable[[], SocketState] | None = None  # None: this process has no socket

    def ticked(self, job: str) -> None:
        with self._lock:
            self._ticks[job] = self._clock()

    def tick_ages(self) -> dict[str, float]:
        """Seconds since each kind of work was looked for; a long one is not looked for while it runs."""
        now = self._clock()
        with self._lock:
            return {job: now - at for job, at in self._ticks.items()}

    def tick_age(self) -> float | None:
        """Of the newest tick, of whatever kind: the clock behind all of them stands still or not."""
        return min(self.tick_ages().values(), default=None)
