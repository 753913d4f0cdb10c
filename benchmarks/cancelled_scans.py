"""How long the command of a scan and all its processes outlive a cancel, for each engine; nothing of it may be kept.

    python -m benchmarks.cancelled_scans [--turns 10] [--rows 15000] [--seed 1] [--only ENGINE]

Every second scan is cancelled within two seconds after the command has claimed it, mostly while it prepares or starts
processes, the others within a second after a part was read. The last line is SUMMARY with the longest times in seconds
as JSON. Results of a run: benchmarks/discovery.txt.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
from sqlalchemy import select

from benchmarks.chaos.results import machine
from benchmarks.chaos_scans.__main__ import started_cluster
from benchmarks.chaos_scans.place import FILES, ROWS_PER_FILE, Place, laid_out, written_source
from benchmarks.chaos_scans.rounds import PROGRAM, WANTED, environment_of
from bot.runtime.clock import utc_now
from core.discovery.scans import cancel_scan
from core.records.discovery import Scan
from core.storage.database import PATIENT
from core.vocabulary import ScanState
from tests.core.discovery.dask_processes import DaskProcesses

ENGINES = ("one process", "two processes", "a cluster that is started", "a cluster's address")
LONGEST = 3.0  # seconds from the cancel to the end of the last process
PATIENCE = 120.0  # seconds for a part to be read, or for processes to end
LOOK = 0.02  # seconds between two looks


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--turns", type=int, default=10)
    arguments.add_argument("--rows", type=int, default=ROWS_PER_FILE, help=f"of each of {FILES} files")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--only", choices=ENGINES)
    given = arguments.parse_args()
    print(f"{FILES * given.rows:,} texts in {FILES} files", "", sep="\n", flush=True)
    rng, longest = random.Random(given.seed), {}
    with tempfile.TemporaryDirectory() as name:
        source = written_source(Path(name) / "source", given.seed, rows=given.rows)
        with laid_out(Path(name) / "place", source, "sqlite") as place:
            for engine in [given.only] if given.only else ENGINES:
                seconds = sorted(cancelled(place, engine, given.turns, rng))
                longest[engine] = round(seconds[-1], 2)
                print(f"{engine:26} median {statistics.median(seconds):.2f} s, longest {seconds[-1]:.2f} s", flush=True)
    print("", machine(), sep="\n")
    print("SUMMARY", json.dumps(longest))
    if max(longest.values()) > LONGEST:
        sys.exit(1)


def cancelled(place: Place, engine: str, turns: int, rng: random.Random) -> list[float]:
    with ExitStack() as stack:
        cluster = started_cluster(stack, place.folder) if engine == "a cluster's address" else None
        return [one_turn(place, engine, cluster, turn % 2 == 0, rng) for turn in range(turns)]


def one_turn(place: Place, engine: str, cluster: DaskProcesses | None, is_early: bool, rng: random.Random) -> float:
    """Seconds from the cancel to the end of the last process."""
    with (place.folder / "log").open("wb") as log:
        driver = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *command_of(place, engine, cluster)],
            env=environment_of(place, cluster), stdout=log, stderr=log,
        )  # fmt: skip
    _wait_until(lambda: place.is_claimed_by(driver.pid) and (is_early or place.parts_read() > 0), driver)
    processes = {psutil.Process(driver.pid)}
    _watch(driver, processes, rng.uniform(0, 2 if is_early else 1))
    assert driver.poll() is None, (place.folder / "log").read_text()
    with place.database.transaction(wait=PATIENT) as session:
        scan_id = session.scalars(select(Scan.id).order_by(Scan.id.desc()).limit(1)).one()
        cancel_scan(session, scan_id, utc_now())
    begun = time.monotonic()
    while any(_runs(process) for process in processes):
        assert time.monotonic() - begun < PATIENCE, [process for process in processes if _runs(process)]
        _watch(driver, processes, LOOK)
    seconds = time.monotonic() - begun
    with place.database.reading() as session:
        assert session.get_one(Scan, scan_id).state is ScanState.CANCELLED
    assert place.problems(0) == ["the scan is cancelled"], (place.folder / "log").read_text()
    return seconds


def command_of(place: Place, engine: str, cluster: DaskProcesses | None) -> list[str]:
    words = ["discover", str(place.source), "-q", "support", "--text", "text", "--id", "id", "--items", str(WANTED)]
    words += ["--processes", "1" if engine == "one process" else "2"]
    if engine == "a cluster that is started":
        return [*words, "--cluster", "local"]
    return words if cluster is None else [*words, "--cluster", cluster.address]


def _wait_until(condition: Callable[[], bool], driver: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert driver.poll() is None, "the command has ended"
        assert time.monotonic() < deadline, "no part is read"
        time.sleep(LOOK)


def _watch(driver: subprocess.Popen[bytes], processes: set[psutil.Process], seconds: float) -> None:
    """Note the processes below the driver, which are no longer below it when it has ended."""
    end = time.monotonic() + seconds
    while True:
        driver.poll()
        for process in list(processes):
            with suppress(psutil.NoSuchProcess):
                processes.update(process.children(recursive=True))
        if time.monotonic() >= end:
            return
        time.sleep(LOOK)


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


if __name__ == "__main__":
    main()
