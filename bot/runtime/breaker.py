"""A circuit breaker: after some failures in a row, calls are blocked for a while; then a single call tests the other
side."""

import threading
from collections.abc import Callable


class Breaker:
    """The breaker. Thread-safe. seconds: a clock that never goes back."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0

    @property
    def failures(self) -> int:
        """The number of failures in a row until now."""
        return self._failures

    def seconds_left(self, most: int, pause: float) -> float:
        """Seconds until the next call may be made; 0: now. After `most` failures, a single caller is let through when
        the pause is over; the others wait for its outcome, or for another pause."""
        with self._lock:
            left = self._open_until - self._seconds()
            if left > 0:
                return left
            if self._failures >= most:
                self._open_until = self._seconds() + pause
            return 0.0

    def succeeded(self) -> None:
        with self._lock:
            self._failures, self._open_until = 0, 0.0

    def failed(self, most: int, pause: float, asked: float = 0.0) -> None:
        """Count a failure. asked: the seconds for which the other side asks not to be called."""
        with self._lock:
            self._failures += 1
            wait = max(asked, pause if self._failures >= most else 0.0)
            self._open_until = self._seconds() + wait if wait else 0.0
