"""A log of all traffic between the workspace and the apps, for debugging."""

import itertools
from collections import deque
from collections.abc import Callable

from bot.sandbox.clock import Clock
from bot.sandbox.wire import Json

KEPT = 5_000  # entries; older ones are forgotten


class Inspector:
    """Entries have `id`, `at`, `kind` (call, envelope, ack, response_url, socket, note) and fields by kind."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.entries: deque[Json] = deque(maxlen=KEPT)
        self.on_entry: Callable[[Json], None] = lambda entry: None
        self._numbers = itertools.count(1)

    def note(self, kind: str, **fields: object) -> Json:
        entry: Json = {"id": next(self._numbers), "at": self.clock.now(), "kind": kind, **fields}
        self.entries.append(entry)
        self.on_entry(entry)
        return entry

    def since(self, number: int) -> list[Json]:
        return [entry for entry in self.entries if entry["id"] > number]

    def calls(self, method: str | None) -> list[Json]:
        return [
            entry for entry in self.entries if entry["kind"] == "call" and (method is None or entry["method"] == method)
        ]
