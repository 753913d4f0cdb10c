"""The processes of a round, kept running as by an operator's supervisor: a process that ended is started again."""

import random
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.chaos.place import Place
from benchmarks.chaos.processes import Forked, Running, Typed

TYPED = 0.1  # share of the starts that are made as operators type them
LONGEST_START = 60.0  # seconds until a process must be ready
LONGEST_END = 30.0  # seconds that a process may need to finish what is at hand
RESTART = 0.5  # seconds after which a process that ended by itself is started again


@dataclass
class Member:
    """One process. ready: its /health/ready has said 200 since it was started last."""

    name: str
    command: str  # of goldloop: web, worker, run
    port: int
    process: Running | None = None
    ready: bool = False
    back_at: float = 0.0


@dataclass(frozen=True)
class Ended:
    """A process that ended without being told to."""

    name: str
    code: int
    at: float


@dataclass
class Fleet:
    """Used by one thread alone: the kernel ends the children with the thread that started them."""

    place: Place
    members: list[Member]
    chance: random.Random
    ended: list[Ended] = field(default_factory=list)
    _http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=2.0, trust_env=False))

    def tend(self) -> None:
        """Start what should run, see who is ready, note who ended by itself."""
        for member in self.members:
            if member.process is not None and (code := member.process.code) is not None:
                self.ended.append(Ended(member.name, code, time.time()))
                self._gone(member, RESTART)
            if member.process is None and time.monotonic() >= member.back_at:
                self._start(member)
            if member.process is not None and not member.ready:
                member.ready = self.says_ready(member)

    def kill(self, victims: Sequence[Member], back_after: float) -> None:
        for member in victims:
            if member.process is not None:
                member.process.signal(signal.SIGKILL)
        for member in victims:
            if member.process is not None:
                member.process.wait(LONGEST_END)
            self._gone(member, back_after)

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + LONGEST_START
        while not all(member.ready for member in self.members):
            if time.monotonic() > deadline:
                names = ", ".join(member.name for member in self.members if not member.ready)
                raise TimeoutError(f"not ready after {LONGEST_START:.0f} s: {names}")
            time.sleep(0.05)
            self.tend()

    def says_ready(self, member: Member) -> bool:
        try:
            return self._http.get(f"http://127.0.0.1:{member.port}/health/ready").status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> list[str]:
        """As for a deploy: SIGTERM to all. What is wrong with how they ended, in words."""
        running = [member for member in self.members if member.process is not None]
        for member in running:
            assert member.process is not None
            member.process.signal(signal.SIGTERM)
        return [words for member in running if (words := self._ending(member))]

    def _ending(self, member: Member) -> str:
        assert member.process is not None
        if not member.process.wait(LONGEST_END):
            return f"{member.name} had not ended {LONGEST_END:.0f} s after SIGTERM"
        code, member.process = member.process.code, None
        return f"{member.name} ended with {code} after SIGTERM" if code else ""

    def close(self) -> None:
        self.kill(self.members, back_after=float("inf"))
        self._http.close()

    def _start(self, member: Member) -> None:
        environment = {**self.place.environment, "PORT": str(member.port)}
        log = self.place.folder / f"{member.name}.log"
        kind = Typed if self.chance.random() < TYPED else Forked
        member.process, member.ready = kind(member.command, environment, log), False

    def _gone(self, member: Member, back_after: float) -> None:
        member.process, member.ready = None, False
        member.back_at = time.monotonic() + back_after


@contextmanager
def fleet_of(place: Place, workers: int, chance: random.Random) -> Iterator[Fleet]:
    """Over HTTP: web and so many workers. Over sockets: `goldloop run` so many times."""
    each = "worker" if place.way == "http" else "run"
    named = [("web", "web")] * (place.way == "http") + [(f"{each} {number + 1}", each) for number in range(workers)]
    members = [Member(name, command, port) for (name, command), port in zip(named, place.ports, strict=False)]
    fleet = Fleet(place, members, chance)
    try:
        yield fleet
    finally:
        fleet.close()


def left_over(place: Place) -> list[str]:
    """Processes that still write into this round's folder (Linux)."""
    found = []
    for output in Path("/proc").glob("[0-9]*/fd/1"):
        try:
            if output.readlink().is_relative_to(place.folder.resolve()):
                found.append(f"process {output.parts[2]}")
        except OSError:  # gone meanwhile, or not ours
            continue
    return found
