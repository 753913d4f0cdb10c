"""The local executor: runs the computing part of a job in a process of its own.

Votes and delivery keep the interpreter, and the memory is freed when the process ends. The process is spawned with only
its arguments, so no thread, lock or connection of the worker is copied into it. It ends at once when the worker stops
the executor or dies.
"""

import multiprocessing
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.reduction import ForkingPickler
from typing import Any, TypeVar

from bot.worker.executors.child import Done, Failed, Progress, Refused, work
from core.jobs import Check, Interrupted, Report, WorkFailed, unchecked

T = TypeVar("T")
ENDING = 5.0  # seconds for a process that has said its last word, or was killed
CHECK_SECONDS = 0.5  # between two checks whether the work shall end


class LocalExecutor:
    """An `Execute` (core/jobs.py). Guards the processes that run, so that `stop` can end them from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[SpawnProcess] = set()
        self._is_stopped = False

    def __call__(self, function: Callable[..., T], *arguments: Any, report: Report, check: Check = unchecked) -> T:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        packed = bytes(ForkingPickler.dumps((function, arguments)))
        process = context.Process(target=work, args=(theirs, packed), daemon=True, name="work")
        with ours:
            self._start(process, theirs)
            try:
                result: T = self._result(process, ours, report, check)
                return result
            finally:
                process.kill()
                process.join()
                with self._lock:
                    self._running.discard(process)

    def stop(self) -> None:
        """End what runs: each call that waits for it raises Interrupted, and so does every later one."""
        with self._lock:
            self._is_stopped = True
            for process in self._running:
                process.kill()

    @property
    def is_stopped(self) -> bool:
        return self._is_stopped

    def _start(self, process: SpawnProcess, theirs: Connection) -> None:
        with self._lock, theirs:  # our copy of its end is closed, so that ours hears when the process dies
            if self._is_stopped:
                raise Interrupted
            process.start()
            self._running.add(process)

    def _result(self, process: SpawnProcess, pipe: Connection, report: Report, check: Check) -> Any:
        while True:
            while not pipe.poll(CHECK_SECONDS):
                check()
            try:
                message = pipe.recv()
            except (EOFError, ConnectionResetError):
                raise self._died(process) from None
            match message:
                case Progress(step):
                    report(step)
                case Done(result):
                    process.join(ENDING)
                    return result
                case Refused(refusal):
                    raise refusal
                case Failed(reason, details):
                    raise WorkFailed(reason) from WorkFailed(details)

    def _died(self, process: SpawnProcess) -> Exception:
        process.join(ENDING)
        if self._is_stopped:
            return Interrupted()
        code = process.exitcode or 0
        if code < 0:
            return WorkFailed(f"its process was ended by {signal.Signals(-code).name}; is there enough memory?")
        return WorkFailed(f"its process ended with exit code {code}")
