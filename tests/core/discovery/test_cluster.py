"""The engine on a Dask cluster: the same texts, whatever dies, and no cluster that is reached in the clear."""

import os
import signal
from collections.abc import Iterator
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
from tests.core.discovery.test_scoring import front, results, shards, task

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
    next(events)
    started = _workers()
    assert started
    events.close()
    assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]


def _workers() -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            words = (path.parent / "cmdline").read_text()
        except (OSError, IndexError):
            continue
        if parent == os.getpid() and "spawn_main" in words:
            found.append(int(path.parent.name))
    return found
