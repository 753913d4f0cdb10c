"""All who work in a round, each in a thread of their own."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.chaos.leads import Lead
from benchmarks.chaos.ledger import Ledger
from benchmarks.chaos.people import Reviewer
from benchmarks.chaos.place import LEADS, REVIEWERS, Place
from benchmarks.chaos.screen import Screen
from benchmarks.chaos.sender import Sender
from goldloop_client import Client


@dataclass
class Crowd:
    """failed: what went wrong in a thread; a bug of this play, or of the workspace, never a fault of Goldloop."""

    ledger: Ledger
    screen: Screen
    stop: threading.Event = field(default_factory=threading.Event)
    finishing: threading.Event = field(default_factory=threading.Event)
    failed: list[BaseException] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def begin(self, work: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=self._guarded, args=(work,), name=name, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it is raised where the round is played
            self.failed.append(error)

    def check(self) -> None:
        if self.failed:
            raise self.failed[0]

    def end(self) -> None:
        self.stop.set()
        self.screen.stop.set()
        for thread in self.threads:
            thread.join()


@contextmanager
def working(place: Place, ledger: Ledger, seed: int, items: int) -> Iterator[Crowd]:
    """seed: of what they choose; the moments are the machine's. items: at most so many come to people."""
    crowd = Crowd(ledger, Screen(place.box))
    with Client(place.api, place.token, timeout=5.0, tries=2, pause=lambda seconds: None) as client:
        try:
            crowd.begin(crowd.screen.watch, "screen")
            for who in (*REVIEWERS, *LEADS):
                kind = Lead if who in LEADS else Reviewer
                chance = random.Random(f"{seed} {who}")
                person = place.box.person(who)
                crowd.begin(kind(person, crowd.screen, ledger, chance, crowd.stop, crowd.finishing).work, who)
            chance = random.Random(f"{seed} sender")
            sender = Sender(client, crowd.screen, ledger, chance, crowd.stop, crowd.finishing, items)
            crowd.begin(sender.work, "sender")
            yield crowd
        finally:
            crowd.end()
