"""The engine on a scheduler and workers that are processes of their own, reached by TLS."""

from collections.abc import Iterator
from typing import Any

import pytest

from core.discovery.cluster import on_cluster
from core.discovery.engines import Engine, one_process
from core.discovery.results import Scored
from core.discovery.selection import digest_of
from core.discovery.sources import Shard
from core.jobs import WorkFailed
from tests.core.discovery.dask_processes import Certificate, DaskProcesses, dask_processes, new_certificate
from tests.core.discovery.test_scoring import front, results, shards, task

__all__ = ["shards"]  # the fixture

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # of Dask's own sockets and loops
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory, unused_port: int) -> Iterator[DaskProcesses]:
    with dask_processes(tmp_path_factory.mktemp("cluster"), unused_port) as found:
        yield found


def engine(cluster: DaskProcesses, certificate: Certificate | None = None) -> Engine:
    shown = certificate or cluster.certificate
    return on_cluster(cluster.address, str(cluster.certificate.cert), str(shown.cert), str(shown.key))


def test_a_cluster_with_tls_finds_the_same_also_after_a_worker_was_killed(
    cluster: DaskProcesses, shards: list[Shard]
) -> None:
    here = digest_of(front(list(one_process(task(), shards))))
    assert digest_of(front(list(engine(cluster)(task(), shards)))) == here
    seen: list[Any] = []
    for event in engine(cluster)(task(), shards):
        seen.append(event)
        if isinstance(event, Scored) and len(results(seen)) == 1:
            cluster.kill("worker 0")
    assert digest_of(front(seen)) == here
    assert len(results(seen)) == len(shards)


def test_a_client_without_the_cluster_s_certificate_is_told_so(cluster: DaskProcesses, shards: list[Shard]) -> None:
    stranger = new_certificate(cluster.folder, "stranger")
    with pytest.raises(WorkFailed, match="cannot be reached"):
        next(iter(engine(cluster, stranger)(task(), shards)))


def test_when_the_scheduler_is_killed_the_scan_is_put_off_and_then_finds_the_same(
    cluster: DaskProcesses, shards: list[Shard]
) -> None:
    here = digest_of(front(list(one_process(task(), shards))))
    seen: list[Any] = []

    def scan_and_kill() -> None:
        for event in engine(cluster)(task(), shards):
            seen.append(event)
            if isinstance(event, Scored) and len(results(seen)) == 1:
                cluster.kill("scheduler")

    with pytest.raises(WorkFailed):
        scan_and_kill()
    cluster.restore()
    cluster.wait()
    done = {one.position for one in results(seen)}
    seen += engine(cluster)(task(), [shard for shard in shards if shard.position not in done])
    assert digest_of(front(seen)) == here
