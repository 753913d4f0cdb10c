"""Injected faults: the next calls of a method fail in a given way, to test how an app handles it.

Beside the methods there are `response_url` and `upload`, the addresses that Slack gives out.
"""

from dataclasses import dataclass, field

KINDS = ("ratelimited", "server_error", "timeout", "lost_answer")  # any other kind is sent as a Slack error code


@dataclass(frozen=True)
class Fault:
    """`lost_answer`: the call takes effect, then the connection ends without an answer. `timeout`: it hangs."""

    kind: str
    retry_after: int = 1
    seconds: float = 60.0  # the duration of a `timeout`; real seconds


@dataclass
class Faults:
    waiting: dict[str, list[Fault]] = field(default_factory=dict)

    def add(self, method: str, fault: Fault, times: int) -> None:
        self.waiting.setdefault(method, []).extend([fault] * times)

    def take(self, method: str) -> Fault | None:
        """The next fault for this method, or for "*", which is used up by this call."""
        for name in (method, "*"):
            if self.waiting.get(name):
                return self.waiting[name].pop(0)
        return None

    def clear(self) -> None:
        self.waiting.clear()
