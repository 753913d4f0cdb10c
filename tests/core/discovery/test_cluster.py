"""The engine on a Dask cluster: the same texts, whatever dies, and no cluster that is reached in the clear."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from core.discovery.cluster import LOCAL, on_cluster
from core.discovery.engines import one_process
from core.discovery.results import Scored
from core.discovery.selection import digest_of
from core.discovery.sources import Shard
from core.errors import Invalid
from core.jobs import WorkFailed
from tests.core.discovery.test_scoring import front, is_there, results, shards, task

__all__ = ["shards"]  # the fixture

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # of Dask's own sockets and loops
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("tcp://scheduler.example:8786", "Use tls://"),
        ("tls://scheduler.example:8786", "GOLDLOOP_CLUSTER_CA"),
        ("http://127.0.0.1", "begin with tls://"),
    ],
)
def test_a_cluster_in_the_clear_or_without_certificates_is_refused(address: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        on_cluster(address)


def test_a_cluster_that_cannot_be_reached_is_named(unused_port: int, shards: list[Shard]) -> None:
    with pytest.raises(WorkFailed, match="cannot be reached"):
        next(iter(on_cluster(f"tcp://127.0.0.1:{unused_port}")(task(), shards)))


@pytest.mark.timeout(400)  # on a busy machine the start of a worker alone takes a minute
def test_a_cluster_finds_the_same_also_after_a_worker_was_killed(shards: list[Shard]) -> None:
    here = digest_of(front(list(one_process(task(), shards))))
    seen: list[Any] = []
    events: Iterator[Any] = on_cluster(LOCAL, processes=2)(task(), shards)
    for event in events:
        seen.append(event)
        if isinstance(event, Scored) and len(results(seen)) == 1:
            os.kill(_workers()[0], signal.SIGKILL)
    assert digest_of(front(seen)) == here
    assert len(results(seen)) == len(shards)


def test_closing_ends_the_cluster(shards: list[Shard]) -> None:
    events: Any = on_cluster(LOCAL, processes=1)(task(), shards)
    next(event for event in events if isinstance(event, Scored))
    assert _workers()
    ended_at_once(events)


def test_closing_ends_a_cluster_that_is_about_to_start(shards: list[Shard]) -> None:
    events: Any = on_cluster(LOCAL, processes=1)(task(), shards)
    assert next(events) is None
    ended_at_once(events)


def ended_at_once(events: Any) -> None:
    processes = _below()
    assert processes
    begun = time.monotonic()
    events.close()
    assert time.monotonic() - begun < 2
    assert not [pid for pid in processes if is_there(pid)]


DRIVER = """
import sys
from core.discovery.cluster import LOCAL, on_cluster
from tests.core.discovery.test_cluster import _below
from tests.core.discovery.test_scoring import shards_of, task
for event in on_cluster(LOCAL, processes=2)(task(), shards_of(sys.argv[1], lines_bytes=6_000)):
    print("starts" if event is None else "reads", *_below(), flush=True)
"""


@pytest.mark.parametrize("moment", ["starts", "reads"])
def test_a_cluster_ends_when_its_driver_is_killed(shards: list[Shard], moment: str) -> None:
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, shards[0].address], stdout=subprocess.PIPE, text=True)
    assert driver.stdout is not None
    with driver.stdout as told:
        line = next(line for line in told if line.startswith(moment))
        driver.kill()
        driver.wait()
    processes = [int(pid) for pid in line.split()[1:]]
    assert processes
    end = time.monotonic() + 3
    while time.monotonic() < end and any(is_there(pid) for pid in processes):
        time.sleep(0.05)
    assert not [pid for pid in processes if is_there(pid)]


def _workers() -> list[int]:
    return [pid for pid in _below() if "spawn_main" in _words(pid)]


def _below() -> list[int]:
    """The process with the cluster that this one has started, and those that it has started."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    mine = {pid for pid, parent in parents.items() if parent == os.getpid()}
    found = {pid for pid in mine if "core.discovery.local_cluster" in _words(pid)}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found)


def _words(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""
