"""One round: from an empty folder to a verdict."""

import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.chaos import quiet
from benchmarks.chaos.crowd import Crowd, working
from benchmarks.chaos.faults import Wrecker
from benchmarks.chaos.fleet import Fleet, fleet_of, left_over
from benchmarks.chaos.invariants import check_rows
from benchmarks.chaos.invariants.scene import Finding, Scene
from benchmarks.chaos.ledger import Ledger
from benchmarks.chaos.place import Kind, Place, Way, laid_out
from benchmarks.chaos.processes import PROGRAM
from tests.postgres import PostgresServer

GRACE = 10.0  # seconds after an outage within which a process that was starting may still end because of it


@dataclass(frozen=True)
class Round:
    """items: at most so many come to people; every one is a card and an update, and Slack takes fifty a minute."""

    number: int
    seed: int
    kills: int
    kind: Kind
    way: Way
    workers: int = 2
    items: int = 50

    @property
    def name(self) -> str:
        return f"round {self.number}: {self.kind} by {self.way}, seed {self.seed}"


@dataclass
class Result:
    """What came of a round. kills: by victim; seconds: of the whole round."""

    round: Round
    kills: dict[str, int] = field(default_factory=dict)
    processes: int = 0
    outages: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    step: int = 0

    @property
    def broken(self) -> list[str]:
        return [f"{finding.name}: {words}" for finding in self.findings for words in finding.broken]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> "Result":
        findings = [Finding(one["name"], one["held"], tuple(one["broken"])) for one in kept["findings"]]
        return cls(**{**kept, "round": Round(**kept["round"]), "findings": findings})


def play(this: Round, root: Path, told: Callable[[str], None], doctor: bool = True) -> Result:
    """told: hears of each kill. doctor: let `goldloop doctor` look as well. The round's folder is kept where an
    invariant is broken, and taken away otherwise."""
    folder = root / f"round-{this.number:03d}"
    shutil.rmtree(folder, ignore_errors=True)
    began = time.monotonic()
    try:
        with laid_out(folder, this.kind, this.way) as place:
            result = _played(this, place, told, doctor)
            if result.broken:
                _keep(place, result)
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    result.seconds = time.monotonic() - began
    if not result.broken:
        shutil.rmtree(folder)
    return result


def _played(this: Round, place: Place, told: Callable[[str], None], doctor: bool) -> Result:
    ledger = Ledger()
    scene = Scene(place, ledger)
    with fleet_of(place, this.workers, random.Random(f"{this.seed} starts")) as fleet:
        wrecker = Wrecker(fleet, ledger, random.Random(this.seed), place.server, told)
        findings = _work_and_faults(this, fleet, wrecker, scene)
        if doctor:
            findings.append(_doctor(place))
        findings += _ended(place, fleet, ledger)
    return Result(
        this,
        kills=dict(Counter(who for _, who in ledger.kills)),
        processes=wrecker.processes,
        outages=dict(Counter(outage.kind for outage in ledger.outages)),
        findings=findings,
        notes=scene.notes,
        step=wrecker.step,
    )


def _work_and_faults(this: Round, fleet: Fleet, wrecker: Wrecker, scene: Scene) -> list[Finding]:
    """Until all is quiet again, and what the rows say then."""
    place = fleet.place
    try:
        fleet.tend()
        fleet.wait_until_ready()
        with working(place, scene.ledger, this.seed, this.items) as crowd:
            wrecker.wreak(this.kills)
            fleet.wait_until_ready()
            left = _finished(place, fleet, crowd, wrecker.told)
        left = left or quiet.until_quiet(place, fleet.tend, wrecker.told)
    except TimeoutError as late:
        left = str(late)
    wrecker.told("checking")
    findings = [Finding("all is done in the end", 1, (left,) if left else ()), *check_rows(scene)]
    unready = tuple(f"{one.name} is not ready" for one in fleet.members if not fleet.says_ready(one))
    return [*findings, Finding("every process is ready", len(fleet.members), unready)]


def _finished(place: Place, fleet: Fleet, crowd: Crowd, told: Callable[[str], None]) -> str:
    crowd.finishing.set()

    def tend() -> None:
        fleet.tend()
        crowd.check()

    return quiet.until_settled(place, tend, told)


def _doctor(place: Place) -> Finding:
    """As an operator runs it. A run given up because its worker was killed five times is no fault of the product."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "doctor"],
        env={**place.environment, "PORT": str(place.ports[0]), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    bad = [line for line in done.stdout.splitlines() if "✗" in line and "jobs" not in line]
    return Finding("the doctor is content", 1, (done.stdout + done.stderr,) if bad or done.returncode > 1 else ())


def _ended(place: Place, fleet: Fleet, ledger: Ledger) -> list[Finding]:
    """No process ended by itself but for want of a database; all end when told to, and nothing is left."""
    alone = [f"{one.name} ended by itself with {one.code} at {one.at:.3f}" for one in fleet.ended
             if not ledger.away(one.at, one.at, GRACE)]  # fmt: skip
    members = len(fleet.members)
    badly = fleet.stop()
    return [
        Finding("no process ended by itself but for want of a database", members, tuple(alone)),
        Finding("all end well when told to", members, tuple(badly)),
        Finding("no process is left over", members, tuple(left_over(place))),
    ]


def _keep(place: Place, result: Result) -> None:
    """For a person who looks into it: what was broken, the database (SQLite's is there), the processes' logs."""
    words = [f"{result.round.name}, after {result.step} kills", *result.broken]
    (place.folder / "broken.txt").write_text("\n".join(words), encoding="utf-8")
    if place.server is not None:
        _dump(place.server, place.folder / "database.sql")


def _dump(server: PostgresServer, file: Path) -> None:
    address = server.url().replace("+psycopg", "")
    subprocess.run([server.binaries / "pg_dump", f"--file={file}", address], check=False)
    shutil.copy(server.log, file.with_name("postgres.log"))
