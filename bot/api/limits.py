"""Rate limits: a token bucket that refills evenly, for each token and for each address that sends wrong ones."""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Generic, TypeVar

from bot.api.problems import TooFast

Key = TypeVar("Key")

MOST_BUCKETS = 10_000  # above this number, the least recently used bucket is dropped
WRONG_PER_MINUTE = 60  # wrong tokens from one address; a misconfigured sender tries less often


class RateLimit(Generic[Key]):
    """One bucket per key, in this process only. per_minute: returns both the refill rate and the capacity, and is
    called each time because the policy may change. of: the name of what is counted, for the sentence."""

    def __init__(self, per_minute: Callable[[], int], clock: Callable[[], float], of: str = "requests") -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._of = of
        self._lock = threading.Lock()
        self._buckets: OrderedDict[Key, tuple[float, float]] = OrderedDict()  # key -> (level, time of that level)

    def take(self, key: Key) -> None:
        """Count one request. Raises TooFast, with the seconds until the next one is accepted."""
        self._count(key, 1)

    def require(self, key: Key) -> None:
        """Raises TooFast if `take` would; counts nothing."""
        self._count(key, 0)

    def _count(self, key: Key, count: int) -> None:
        fits = float(self._per_minute())
        per_second = fits / 60
        with self._lock:
            now = self._clock()
            held, since = self._buckets.pop(key, (fits, now))
            held = min(fits, held + (now - since) * per_second)
            enough = held >= 1
            self._buckets[key] = (held - count if enough else held, now)
            if len(self._buckets) > MOST_BUCKETS:
                self._buckets.popitem(last=False)
        if not enough:
            seconds = math.ceil((1 - held) / per_second)
            words = f"Too many {self._of}: the limit is {fits:.0f} a minute. Try again in {seconds} s."
            raise TooFast(words, seconds)


class WrongTokens:
    """Limits guessing of tokens: above the limit, an address is refused without a lookup of its token. A token that was
    accepted before is always looked up, so that a sender behind the same proxy is not locked out."""

    def __init__(self, clock: Callable[[], float], per_minute: int = WRONG_PER_MINUTE) -> None:
        self._limit = RateLimit[str](lambda: per_minute, clock, of="wrong tokens from this address")
        self._right: set[str] = set()  # digests of accepted tokens; at most as many as tokens exist

    def require(self, digest: str, address: str) -> None:
        """Raises TooFast if this token must not be looked up."""
        if digest not in self._right:
            self._limit.require(network(address))

    def right(self, digest: str) -> None:
        self._right.add(digest)

    def wrong(self, digest: str, address: str) -> None:
        """Count a wrong token; it may have been revoked. Raises TooFast above the limit."""
        self._right.discard(digest)
        self._limit.take(network(address))


def network(address: str) -> str:
    """The key of an address: an IPv4 address itself; of IPv6 the /64 network, because one person has all of it."""
    try:
        parsed = ip_address(address)
    except ValueError:  # a Unix socket has no address
        return address
    return address if not isinstance(parsed, IPv6Address) else str(IPv6Address(int(parsed) >> 64 << 64))
