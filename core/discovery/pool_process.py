"""The work of a process of the pool. This module imports little, so that a process ends with its driver even while it
still loads libraries, which takes seconds."""

import contextlib
import os
import signal
import threading
from multiprocessing.connection import Connection


def work(pipe: Connection, lifeline: Connection) -> None:
    """Score shards until the pipe is closed. It ignores signals that a terminal sends to all processes: the engine
    handles them. It computes in one thread, because the engine has a process for each core that it uses."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_when_alone, args=(lifeline,), daemon=True).start()
    from threadpoolctl import threadpool_limits

    from core.discovery.scoring import Task, scoring

    with threadpool_limits(1):
        task: Task = pipe.recv()
        while True:
            for event in scoring(task, pipe.recv()):
                pipe.send(event)


def _end_when_alone(lifeline: Connection) -> None:
    """End this process when the engine's process is gone: nothing is ever sent, so the pipe is readable only when its
    other end was closed."""
    with contextlib.suppress(EOFError, OSError):
        lifeline.recv()
    os._exit(1)
