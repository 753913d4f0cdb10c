"""A circuit breaker: after some failures in a row nothing is called for a while, then one call finds out."""

import threading
from collections.abc import Callable


class Breaker:
    """Guards its counts, which threads share. seconds: a clock that never goes back."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0

    @property
    def failures(self) -> int:
        """In a row, up to now."""
        return self._failures

    def seconds_left(self, most: int, pause: float) -> float:
        """Until the next call may be made; 0: now. After `most` failures one caller is let through when a pause is
        over, and the others wait for its outcome, or another pause."""
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
        """asked: seconds for which the other side asks not to be called."""
        with self._lock:
            self._failures += 1
            wait = max(asked, pause if self._failures >= most else 0.0)
            self._open_until = self._seconds() + wait if wait else 0.0
