"""The faults of a round, by chance: who is killed when, for how long, and when PostgreSQL goes away."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.chaos.fleet import LONGEST_START, Fleet, Member
from benchmarks.chaos.ledger import Ledger, Outage
from tests.postgres import PostgresServer

TICK = 0.05
ALL_READY = 0.6  # how often a kill waits until everybody is ready, so that it falls among work
ALL_AT_ONCE = 0.2  # how often everybody is killed at one moment
BEFORE_READY = 0.15  # how often it may hit a process that is still starting
MEAN_PAUSE = 1.2  # seconds after that
LONGEST_AWAY = 1.5  # seconds that a killed process stays away
KILLS_PER_OUTAGE = 5  # kills to each stop or crash of PostgreSQL
LONGEST_OUTAGE = 2.5


@dataclass
class Wrecker:
    """step: kills so far; with the seed it says where a round was when something went wrong. processes: that they
    ended, as one kill may be of all at once."""

    fleet: Fleet
    ledger: Ledger
    chance: random.Random
    server: PostgresServer | None
    told: Callable[[str], None]
    step: int = 0
    processes: int = 0

    def wreak(self, kills: int) -> None:
        """Until so many kills have been made. A process that is away then comes back by `Fleet.tend`."""
        outages = set(self.chance.sample(range(kills), -(-kills // KILLS_PER_OUTAGE))) if self.server else set()
        while self.step < kills:
            self._pause()
            if self.step in outages:
                self._take_database_away()
            victims = self._victims()
            self.fleet.kill(victims, self.chance.uniform(0.0, LONGEST_AWAY))
            self.step, self.processes = self.step + 1, self.processes + len(victims)
            names = "all" if len(victims) > 1 else victims[0].name
            self.ledger.kills.append((time.time(), names))
            self.told(names)

    def _victims(self) -> list[Member]:
        early = self.chance.random() < BEFORE_READY
        there = [one for one in self.fleet.members if one.process is not None and (early or one.ready)]
        there = there or self._ready()
        return there if self.chance.random() < ALL_AT_ONCE else [self.chance.choice(there)]

    def _pause(self) -> None:
        wanted = len(self.fleet.members) if self.chance.random() < ALL_READY else 1
        self._ready(wanted)
        self._tend(min(4.0, self.chance.expovariate(1 / MEAN_PAUSE)))

    def _ready(self, wanted: int = 1) -> list[Member]:
        deadline = time.monotonic() + LONGEST_START
        while len(ready := [member for member in self.fleet.members if member.ready]) < wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(ready)} were ready {LONGEST_START:.0f} s after a kill")
            self._tend(TICK)
        return ready

    def _tend(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.fleet.tend()
            time.sleep(min(TICK, left))

    def _take_database_away(self) -> None:
        assert self.server is not None
        kind = self.chance.choice(["stop", "crash"])
        since = time.time()
        if kind == "stop":
            self.server.stop()
        else:
            self.server.crash()
        self.told(f"PostgreSQL {kind}")
        try:
            self._tend(self.chance.uniform(0.3, LONGEST_OUTAGE))
        finally:
            self.server.start()
            self.ledger.note(Outage(kind, since, time.time()))
