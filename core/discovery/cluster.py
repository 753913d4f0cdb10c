"""The engine on a Dask cluster, either an existing one with a scheduler's address, or one that is started here. Needs
the extra [cluster].

A scheduler runs any function that it is sent, so one on another machine must be reached by TLS. Its workers get the
model's bytes and the addresses of the shards, and never an address of the database.
"""

import queue
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from importlib.metadata import version
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from core.discovery.engines import IDLE_SECONDS, Engine, Event
from core.discovery.local_cluster import started
from core.discovery.places import LOOPBACK
from core.discovery.results import Unread
from core.discovery.scoring import TRIES, Task, score
from core.discovery.sources import Shard
from core.errors import Invalid, Refusal
from core.jobs import WorkFailed

LOCAL = "local"  # stands for a cluster on this machine, in place of an address
AHEAD = 3  # shards sent for each thread of the cluster before the first is done
CONNECT_SECONDS = 10
ALONE_SECONDS = 60  # after so long without any worker, the scan is put off
PACKAGES = ("goldloop", "scikit-learn")


def on_cluster(address: str, ca: str = "", cert: str = "", key: str = "", processes: int = 1) -> Engine:
    """The engine for this address. ca, cert, key: files, for TLS. processes: the number of processes of a cluster on
    this machine. Raises Invalid if the package is missing, or if the connection would not be encrypted."""
    _checked(address, ca, cert, key)

    def run(task: Task, shards: Iterable[Shard]) -> Iterator[Event]:
        with ExitStack() as opened:
            target = (yield from _on_this_machine(opened, processes)) if address == LOCAL else address
            client = _client(opened, target, (ca, cert, key))
            try:
                yield from _until_there_is_a_worker(client)
                _check_versions(client)
                yield from _results(client, task, iter(shards))
            except OSError as error:
                raise WorkFailed(f"the cluster failed ({type(error).__name__}: {error})") from error

    return run


def _checked(address: str, ca: str, cert: str, key: str) -> None:
    try:
        import distributed  # noqa: F401 - here, so that a scan does not begin without it
    except ModuleNotFoundError:
        raise Invalid(
            "A cluster needs the package distributed, which is not installed. Run: pip install 'goldloop[cluster]'"
        ) from None
    if address == LOCAL:
        return
    url = urlsplit(address)
    if url.scheme not in ("tls", "tcp") or not url.hostname:
        raise Invalid(f"A cluster's address must begin with tls:// and have a port, or be “{LOCAL}”.", field="cluster")
    if url.scheme == "tcp" and url.hostname not in LOOPBACK:
        raise Invalid(
            "tcp:// is allowed on this machine only, because a scheduler runs any code it is sent. Use tls://."
        )
    if url.scheme == "tls" and not (ca and cert and key):
        raise Invalid("tls:// needs GOLDLOOP_CLUSTER_CA, GOLDLOOP_CLUSTER_CERT and GOLDLOOP_CLUSTER_KEY.")


def _on_this_machine(opened: ExitStack, processes: int) -> Generator[None, None, str]:
    address = yield from started(opened, processes)
    if not address:
        raise WorkFailed("no cluster could be started on this machine")
    return address


def _client(opened: ExitStack, address: str, files: tuple[str, str, str]) -> Any:
    """A client that is not the process's default one. `opened` closes it; otherwise the process would not end. Raises
    WorkFailed if the cluster cannot be reached: it may be back when the scan is tried again."""
    from distributed import Client, Security

    ca, cert, key = files
    security = (
        Security(tls_ca_file=ca, tls_client_cert=cert, tls_client_key=key, require_encryption=True)
        if address.startswith("tls")
        else None
    )
    try:
        client = Client(address, security=security, set_as_default=False, timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError) as error:
        raise WorkFailed(f"the cluster at {address} cannot be reached ({type(error).__name__}: {error})") from error
    return opened.enter_context(client)


def _until_there_is_a_worker(client: Any) -> Iterator[None]:
    begun = time.monotonic()
    while not client.nthreads():
        if time.monotonic() - begun > ALONE_SECONDS:
            raise WorkFailed("the cluster has no worker")
        time.sleep(IDLE_SECONDS)
        yield None


def versions() -> dict[str, str]:
    return {name: version(name) for name in PACKAGES}


def _check_versions(client: Any) -> None:
    """Raises Refusal if a worker has other versions: they could give other results without an error."""
    here = versions()
    try:
        found = client.run(versions)
    except Exception as error:  # noqa: BLE001 - whatever a worker raised, such as that it has no Goldloop at all
        raise Refusal(f"The cluster's workers cannot run Goldloop ({type(error).__name__}: {error}).") from None
    for worker, there in found.items():
        for name, wanted in here.items():
            if there[name] != wanted:
                raise Refusal(f"The cluster's worker {worker} has {name} {there[name]}; this process has {wanted}.")


def _results(client: Any, task: Task, todo: Iterator[Shard]) -> Iterator[Event]:
    [held] = client.scatter([task], broadcast=True, hash=False)  # once for each worker
    done: queue.Queue[Any] = queue.Queue()
    shards: dict[str, Shard] = {}
    idle = 0.0

    def submit(shard: Shard) -> None:
        future = client.submit(score, held, shard, pure=False, retries=TRIES)
        shards[future.key] = shard
        futures[future.key] = future
        future.add_done_callback(done.put)

    futures: dict[str, Any] = {}
    try:
        for shard in islice(todo, max(4, AHEAD * sum(client.nthreads().values()))):
            submit(shard)
        while shards:
            try:
                future = done.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                idle = 0.0 if client.status == "running" and client.nthreads() else idle + IDLE_SECONDS
                if idle >= ALONE_SECONDS:
                    raise WorkFailed("the cluster has no worker") from None
                yield None
                continue
            yield _result(client, future, shards.pop(future.key))
            futures.pop(future.key).release()
            for shard in islice(todo, 1):
                submit(shard)
    finally:
        client.cancel(list(futures.values()), force=True)


def _result(client: Any, future: Any, shard: Shard) -> Event:
    """The result of a shard. If the shard killed workers, it is given up; if the scheduler died, the scan is tried
    again (WorkFailed)."""
    from distributed import KilledWorker

    try:
        result: Event = future.result(timeout=CONNECT_SECONDS)
    except KilledWorker:
        return Unread(
            shard.position, f"{shard.address}: the workers that were reading it died. Do they have enough memory?"
        )
    except Refusal as refusal:
        return Unread(shard.position, str(refusal))
    except Exception as error:
        raise WorkFailed(f"the cluster failed ({type(error).__name__}: {error})") from error
    return result
