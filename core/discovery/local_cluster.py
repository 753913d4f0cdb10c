"""A Dask cluster on this machine: a program that starts one in a process group of its own, which is killed as a whole.
Closing a cluster regularly would wait until its workers have read their parts and until starting workers have started.

The program imports little at first, so that it ends with its driver even while it still loads libraries.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import ExitStack
from multiprocessing.connection import wait

IDLE_SECONDS = 0.5  # the longest time between two events
ENDING = 1.0  # seconds for the group to end by itself


def started(opened: ExitStack, processes: int) -> Generator[None, None, str]:
    """Start a cluster with so many workers, and return its address, or "" if it cannot be started. Yields now and then
    while it waits. `opened` ends the cluster."""
    host = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", __name__, str(processes)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    opened.callback(_end, host)
    assert host.stdout is not None, "it is a pipe"
    while not wait([host.stdout.fileno()], IDLE_SECONDS):
        yield None
    return host.stdout.readline().decode().strip()


def _end(host: subprocess.Popen[bytes]) -> None:
    assert host.stdin is not None, "it is a pipe"
    with host:
        host.stdin.close()
        try:
            host.wait(ENDING)
        except subprocess.TimeoutExpired:
            os.killpg(host.pid, signal.SIGKILL)


def main() -> None:
    """Run a cluster until the standard input is closed; write its address to the standard output."""
    threading.Thread(target=_end_when_alone, daemon=True).start()
    output = os.fdopen(os.dup(sys.stdout.fileno()), "w")  # a copy that workers do not inherit
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=int(sys.argv[1]), threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
    ) as cluster:
        print(cluster.scheduler_address, file=output, flush=True)
        threading.Event().wait()


def _end_when_alone() -> None:
    """End the whole group when the standard input is closed; nothing is ever written to it. This process waits for the
    workers, because the first process of a container may not do so."""
    os.read(sys.stdin.fileno(), 1)
    for worker in multiprocessing.active_children():
        worker.kill()
        worker.join()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
