"""What one sender may ask for: a bucket of requests that fills up evenly."""

import math
import threading
from collections.abc import Callable

from bot.api.problems import TooFast


class RateLimit:
    """Guards the buckets: one per token, in this process alone. per_minute: what flows in, and what fits."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._fits = float(per_minute)
        self._per_second = per_minute / 60
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[int, tuple[float, float]] = {}  # token -> what was in it, when

    def take(self, token_id: int) -> None:
        """Raises TooFast with the seconds after which the next request is taken."""
        with self._lock:
            now = self._clock()
            held, since = self._buckets.get(token_id, (self._fits, now))
            held = min(self._fits, held + (now - since) * self._per_second)
            enough = held >= 1
            self._buckets[token_id] = (held - 1 if enough else held, now)
        if not enough:
            seconds = math.ceil((1 - held) / self._per_second)
            raise TooFast(f"Too many requests: at most {self._fits:.0f} a minute. Wait {seconds} s.", seconds)
