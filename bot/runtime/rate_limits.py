"""How often Slack lets us speak. Staying below the limits is kinder than being told off: a workspace that is refused
shows people "some messages are not displayed"."""

import threading
from collections.abc import Callable, Iterable

POST_SECONDS = 1.05  # one post a second per channel
UPDATES_PER_MINUTE = 50  # chat.update, for the whole workspace
BURST = 8  # updates at once; burst and refill together stay within any minute's 50
_PER_SECOND = (UPDATES_PER_MINUTE - BURST) / 60
FIRST_SILENCE, LONGEST_SILENCE = 30.0, 300.0  # seconds, after the token was refused


class Budget:
    """What this process may still say now. `clock` counts seconds and never goes back (time.monotonic)."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last_post: dict[str, float] = {}
        self._updates = float(BURST)
        self._refilled_at = clock()
        self._silence = 0.0
        self._silent_until = clock()

    def begin(self, channels: Iterable[str]) -> None:
        """Another process may have spoken until this moment, and nobody knows how much: begin with nothing."""
        now = self._clock()
        with self._lock:
            self._updates = min(0.0, self._refill())
            self._last_post |= {channel: max(now, self._last_post.get(channel, now)) for channel in channels}

    def is_silent(self) -> bool:
        """Slack has refused the token; asking again and again would not make it better."""
        return self._clock() < self._silent_until

    def refused_token(self) -> None:
        now = self._clock()
        with self._lock:
            if now < self._silent_until:
                return  # two calls were under way
            self._silence = min(LONGEST_SILENCE, max(FIRST_SILENCE, self._silence * 2))
            self._silent_until = now + self._silence

    def heard(self) -> None:
        """Slack has taken something."""
        self._silence = 0.0

    def full_channels(self) -> list[str]:
        """Channels that have had their post of this second."""
        now = self._clock()
        with self._lock:
            return [channel for channel, at in self._last_post.items() if now - at < POST_SECONDS]

    def may_update(self) -> bool:
        with self._lock:
            return self._refill() >= 1

    def may_update_open(self) -> bool:
        """Open cards are redrawn only from what settled ones leave over: half of the burst stays for those."""
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
        """Slack said 429: no update by this process before that."""
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
