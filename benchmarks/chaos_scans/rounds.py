"""Rounds of one engine: a scan is started as an operator does it, killed at random moments, and started again until it
is done; then the texts that it found are compared with those of a scan that nothing disturbed."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

import psutil

from benchmarks.chaos_scans.place import Place
from tests.core.discovery.dask_processes import DaskProcesses

Engine = Literal["one process", "two processes", "Dask cluster"]
ENGINES: tuple[Engine, ...] = ("one process", "two processes", "Dask cluster")
PROGRAM = "from bot.cli.app import main; main()"
WANTED = 20
MOST_PAUSE = 2.0  # seconds between the claim, or a part that was read, and the next kill
AT_ONCE = 0.5  # share of new drivers that are killed while they prepare; the others have read a part
ORPHANS_SECONDS = 3.0  # in which processes of a dead driver must end
PATIENCE = 300.0  # seconds without any progress, after which a round is broken


@dataclass
class Outcome:
    """kills: by victim; orphans: the longest time in seconds that a process outlived its driver."""

    kills: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    orphans: float = 0.0
    broken: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Rounds:
    """Rounds of one engine on one database, until so many kills have been made."""

    def __init__(self, place: Place, engine: Engine, cluster: DaskProcesses | None, seed: int) -> None:
        self._place, self._engine, self._cluster = place, engine, cluster
        self._rng, self._outcome = random.Random(seed), Outcome()
        self._log = (place.folder / f"{engine}.log").open("ab")

    def played(self, kills: int, digest: str) -> Outcome:
        begun = time.monotonic()
        with self._log:
            while sum(self._outcome.kills.values()) < kills and not self._outcome.broken:
                self._round(kills, digest)
        self._outcome.seconds = time.monotonic() - begun
        return self._outcome

    def _round(self, kills: int, digest: str) -> None:
        driver = self._started()
        while (code := self._lived(driver, kills)) != 0:
            if code > 0 and not self._put_off(code):
                return
            driver = self._started()
        self._outcome.rounds += 1
        self._outcome.broken += differences(self._place, digest)
        self._place.forget()

    def _put_off(self, code: int) -> bool:
        """Whether the command may end like this: its scheduler was killed. What was killed is there again."""
        if self._cluster is None or not self._place.unfinished():
            self._outcome.broken.append(f"the command ended with {code}")
            return False
        self._cluster.restore()
        self._cluster.wait()
        return True

    def _lived(self, driver: subprocess.Popen[bytes], kills: int) -> int:
        """Kill until the driver is gone; its exit code, which is negative if it was killed."""
        while sum(self._outcome.kills.values()) < kills and self._reached(driver):
            with suppress(subprocess.TimeoutExpired):
                driver.wait(self._rng.uniform(0, MOST_PAUSE))
            if driver.poll() is not None:
                break
            victim = self._kill(driver)
            self._outcome.kills[victim] += 1
        try:
            return driver.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._outcome.broken.append("the command does not end")
            driver.kill()
            return driver.wait()

    def _reached(self, driver: subprocess.Popen[bytes]) -> bool:
        """Wait until the driver has its scan and, with a new driver every second time and always after a kill that it
        outlived, until another part was read. False: it has ended."""
        known, deadline = self._place.parts_read(), time.monotonic() + PATIENCE
        at_once = not self._place.is_claimed_by(driver.pid) and self._rng.random() < AT_ONCE
        while driver.poll() is None and time.monotonic() < deadline:
            if self._place.is_claimed_by(driver.pid) and (at_once or self._place.parts_read() != known):
                return True
            time.sleep(0.05)
        return False

    def _kill(self, driver: subprocess.Popen[bytes]) -> str:
        victim = self._rng.choice(self._victims())
        children = _descendants(driver.pid)
        pool = [child for child in children if "pool_process" in _words(child)]
        if victim == "process of the pool" and pool:
            with suppress(psutil.NoSuchProcess):
                self._rng.choice(pool).kill()
            return victim
        if victim in ("driver", "process of the pool"):
            driver.send_signal(signal.SIGKILL)
            driver.wait()
            self._outlived(children)
            return "driver"
        assert self._cluster is not None
        self._cluster.kill(victim)
        if victim != "scheduler":
            self._cluster.restore()
        return victim.partition(" ")[0]

    def _victims(self) -> tuple[str, ...]:
        if self._engine == "Dask cluster":
            return "driver", "worker 0", "worker 1", "scheduler"
        return ("driver",) if self._engine == "one process" else ("driver", "process of the pool")

    def _outlived(self, children: list[psutil.Process]) -> None:
        begun = time.monotonic()
        _gone, left = psutil.wait_procs(children, timeout=3 * ORPHANS_SECONDS)
        seconds = time.monotonic() - begun
        self._outcome.orphans = max(self._outcome.orphans, seconds if children else 0.0)
        if left or seconds > ORPHANS_SECONDS:
            self._outcome.broken.append(f"a process outlived its driver for {seconds:.1f} s")

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *command_of(self._place, self._engine, self._cluster)],
            env=environment_of(self._place, self._cluster), stdout=self._log, stderr=self._log,
        )  # fmt: skip


def differences(place: Place, digest: str) -> list[str]:
    """Between what the newest scan has left and what it should have left."""
    found = place.digest()
    other = [] if found == digest else [f"the digest is {found[:12]}, not {digest[:12]}"]
    return other + place.problems(WANTED)


def undisturbed(place: Place) -> str:
    """The digest of a scan in one process."""
    command = [sys.executable, "-c", PROGRAM, *command_of(place, "one process", None)]
    subprocess.run(command, env=place.environment, check=True, stdout=subprocess.DEVNULL)
    place.forget()
    return place.digest()


def environment_of(place: Place, cluster: DaskProcesses | None) -> dict[str, str]:
    if cluster is None:
        return place.environment
    cert, key = str(cluster.certificate.cert), str(cluster.certificate.key)
    files = {"GOLDLOOP_CLUSTER_CA": cert, "GOLDLOOP_CLUSTER_CERT": cert, "GOLDLOOP_CLUSTER_KEY": key}
    return place.environment | files


def command_of(place: Place, engine: Engine, cluster: DaskProcesses | None) -> list[str]:
    words = ["discover", str(place.source), "-q", "support", "--text", "text", "--id", "id", "--items", str(WANTED)]
    if cluster is not None:
        return [*words, "--cluster", cluster.address]
    return [*words, "--processes", "2" if engine == "two processes" else "1"]


def _descendants(pid: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


def _words(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return " ".join(process.cmdline())
    return ""
