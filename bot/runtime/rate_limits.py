"""Slack's rate limits, which this process observes by itself. If Slack has to enforce them, people see "some messages
are not displayed"."""

import threading
from collections.abc import Callable, Iterable

POST_SECONDS = 1.05  # between two posts to one channel; Slack allows one per second
UPDATES_PER_MINUTE = 50  # chat.update, for the whole workspace
BURST = 8  # updates at once; burst and refill together stay within 50 in any minute
_PER_SECOND = (UPDATES_PER_MINUTE - BURST) / 60
FIRST_SILENCE, LONGEST_SILENCE = 30.0, 300.0  # seconds without calls after Slack refused the token


class Budget:
    """The budget of calls that this process may still make. `clock` counts seconds and never goes back
    (time.monotonic)."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last_post: dict[str, float] = {}
        self._updates = float(BURST)
        self._refilled_at = clock()
        self._silence = 0.0
        self._silent_until = clock()

    def begin(self, channels: Iterable[str]) -> None:
        """Start with an empty budget: another process may have used up the limits until now."""
        now = self._clock()
        with self._lock:
            self._updates = min(0.0, self._refill())
            self._last_post |= {channel: max(now, self._last_post.get(channel, now)) for channel in channels}

    def is_silent(self) -> bool:
        """Whether sending is suspended because Slack refused the token."""
        return self._clock() < self._silent_until

    def refused_token(self) -> None:
        now = self._clock()
        with self._lock:
            if now < self._silent_until:
                return  # two calls were in progress
            self._silence = min(LONGEST_SILENCE, max(FIRST_SILENCE, self._silence * 2))
            self._silent_until = now + self._silence

    def heard(self) -> None:
        """Note that Slack has accepted a call."""
        self._silence = 0.0

    def full_channels(self) -> list[str]:
        """Channels whose post of this second is used up."""
        now = self._clock()
        with self._lock:
            return [channel for channel, at in self._last_post.items() if now - at < POST_SECONDS]

    def may_update(self) -> bool:
        with self._lock:
            return self._refill() >= 1

    def may_update_open(self) -> bool:
        """Whether an open card may be updated. Half of the burst is reserved for settled cards."""
        with self._lock:
            return self._refill() >= BURST / 2 + 1

    def spend_post(self, channel: str) -> None:
        with self._lock:
            self._last_post[channel] = self._clock()

    def spend_update(self) -> None:
        with self._lock:
            self._refill()
            self._updates -= 1

    def refused_update(self, seconds: float) -> None:
        """Send no update for this many seconds: Slack answered 429."""
        with self._lock:
            self._refill()
            self._updates = min(self._updates, -seconds * _PER_SECOND + 1)

    def refused_post(self, channel: str, seconds: float) -> None:
        with self._lock:
            self._last_post[channel] = self._clock() + seconds - POST_SECONDS

    def _refill(self) -> float:
        now = self._clock()
        self._updates = min(BURST, self._updates + (now - self._refilled_at) * _PER_SECOND)
        self._refilled_at = now
        return self._updates
