"""The rate limit for each token: a token bucket that refills evenly."""

import math
import threading
from collections.abc import Callable

from bot.api.problems import TooFast


class RateLimit:
    """One bucket per token, in this process only. per_minute: both the refill rate and the capacity."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._fits = float(per_minute)
        self._per_second = per_minute / 60
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[int, tuple[float, float]] = {}  # token -> what was in it, when

    def take(self, token_id: int) -> None:
        """Count one request. Raises TooFast, with the seconds until the next one is accepted."""
        with self._lock:
            now = self._clock()
            held, since = self._buckets.get(token_id, (self._fits, now))
            held = min(self._fits, held + (now - since) * self._per_second)
            enough = held >= 1
            self._buckets[token_id] = (held - 1 if enough else held, now)
        if not enough:
            seconds = math.ceil((1 - held) / self._per_second)
            raise TooFast(
                f"Too many requests: the limit is {self._fits:.0f} a minute. Try again in {seconds} s.", seconds
            )
