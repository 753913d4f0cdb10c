"""Engines: ways to score all shards of a scan. All give the same results, in any order. An engine stores nothing: the
caller stores the results that it has received, and after an interruption the other shards are scored again.

An engine is a generator. It yields a `Reading` now and then, None while nothing happens, and a result for each shard.
Closing it ends all its work at once.
"""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from multiprocessing.reduction import ForkingPickler
from subprocess import Popen

from core.child_processes import spawn
from core.discovery.pool_process import work
from core.discovery.results import Reading, Result, Unread
from core.discovery.scoring import Task, scoring
from core.discovery.sources import Shard

Event = Reading | Result | None
Engine = Callable[[Task, Iterable[Shard]], Iterator[Event]]
IDLE_SECONDS = 0.5  # the longest time between two events
DEATHS = 3  # a shard is given up after so many processes have died on it, because it may have killed them


def one_process(task: Task, shards: Iterable[Shard]) -> Iterator[Event]:
    """The engine that works in this process, one shard after the other."""
    for shard in shards:
        yield from scoring(task, shard)


def pool(processes: int) -> Engine:
    """The engine with processes on this machine, each of which loads the model. They end at once when the engine is
    closed or this process dies. If a process dies while it works on a shard, the shard is tried again in a new process,
    and given up the third time."""

    def run(task: Task, shards: Iterable[Shard]) -> Iterator[Event]:
        with _Pool(task, processes) as members:
            yield from members.run(iter(shards))

    return run


@dataclass
class _Member:
    """A process of the pool. ours: this end of its pipe; lifeline: closed when this process ends, so that the member
    ends too; telling: the thread that sends it the task and its first shard."""

    process: Popen[bytes]
    ours: Connection
    lifeline: Connection
    telling: threading.Thread
    shard: Shard | None = None


class _Pool:
    """Watches the processes. Each has one shard at a time, so it is known on which shard a process died."""

    def __init__(self, task: Task, processes: int) -> None:
        self._task = bytes(ForkingPickler.dumps(task))
        self._size = processes
        self._members: list[_Member] = []
        self._deaths: dict[int, int] = {}

    def __enter__(self) -> "_Pool":
        return self

    def __exit__(self, *_error: object) -> None:
        for member in self._members:
            _end(member)

    def run(self, shards: Iterator[Shard]) -> Iterator[Event]:
        for shard in shards:
            while (free := self._free()) is None and len(self._members) == self._size:
                yield from self._events()
            if free is None:
                self._members.append(self._started(shard))
            else:
                self._send_shard(free, shard)
        while any(member.shard for member in self._members):
            yield from self._events()

    def _free(self) -> _Member | None:
        return next((member for member in self._members if member.shard is None), None)

    def _events(self) -> Iterator[Event]:
        waiting = {member.ours: member for member in self._members if member.shard}
        ready = wait(list(waiting), IDLE_SECONDS)
        if not ready:
            yield None
        for pipe in ready:
            yield self._received(waiting[pipe])  # type: ignore[index]

    def _received(self, member: _Member) -> Event:
        try:
            event: Reading | Result = member.ours.recv()
        except (EOFError, OSError):
            return self._after_death(member)
        if not isinstance(event, Reading):
            member.shard = None
        return event

    def _after_death(self, member: _Member) -> Event:
        shard = member.shard
        assert shard is not None, "it had one, else it was not waited for"
        _end(member)
        self._members.remove(member)
        deaths = self._deaths[shard.position] = self._deaths.get(shard.position, 0) + 1
        if deaths < DEATHS:
            self._members.append(self._started(shard))
            return None
        return Unread(
            shard.position,
            f"{shard.address}: the process that was reading it died {deaths} times. Is there enough memory?",
        )

    def _started(self, shard: Shard) -> _Member:
        """A process that is starting. A thread sends it the task, which has some megabytes: the pipe accepts no more
        until the process reads, and meanwhile the next process can start."""
        ours, theirs = Pipe()
        lifeline, watched = Pipe()
        with theirs, watched:  # closes this process's copies, so that `ours` notices when the child dies
            process = spawn(work, theirs, watched)
        telling = threading.Thread(target=_send_task, args=(ours, self._task, shard), daemon=True)
        telling.start()
        return _Member(process, ours, lifeline, telling, shard)

    def _send_shard(self, member: _Member, shard: Shard) -> None:
        member.shard = shard
        with contextlib.suppress(OSError):  # it has died, which the wait for it detects
            member.ours.send(shard)


def _send_task(ours: Connection, task: bytes, shard: Shard) -> None:
    with contextlib.suppress(OSError):
        ours.send_bytes(task)
        ours.send(shard)


def _end(member: _Member) -> None:
    member.process.kill()
    member.process.wait()
    member.telling.join()
    member.ours.close()
    member.lifeline.close()
