"""The local executor: runs the computing part of a job in a process of its own.

Votes and delivery keep the interpreter, and the memory is freed when the process ends. It ends at once when the worker
stops the executor or dies.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from multiprocessing.connection import Connection, Pipe
from multiprocessing.reduction import ForkingPickler
from subprocess import Popen, TimeoutExpired
from typing import Any, TypeVar

from bot.worker.executors.child import NO_MORE, Done, Failed, Progress, Refused, work
from core.child_processes import spawn
from core.jobs import Check, Execute, Interrupted, Report, WorkFailed, unchecked

T = TypeVar("T")
ENDING = 5.0  # seconds to wait for the end of a process that has no more work or was killed
CHECK_SECONDS = 0.5  # between two calls of `check`


class LocalExecutor:
    """An `Execute` (core/jobs.py). Guards the processes that run, so that `stop` can end them from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[Popen[bytes]] = set()
        self._is_stopped = False

    def __call__(self, function: Callable[..., T], *arguments: Any, report: Report, check: Check = unchecked) -> T:
        with self.one_process() as execute:
            return execute(function, *arguments, report=report, check=check)

    @contextmanager
    def one_process(self) -> Iterator[Execute]:
        """An `Execute` that runs all pieces of work in one process, one after the other, so that libraries are loaded
        once. The process starts with the first piece, starts anew after a piece that ended it, and ends with the
        block."""
        process = _OneProcess(self)
        try:
            yield process
        finally:
            process.end()

    def stop(self) -> None:
        """End the running processes: each call that waits for one raises Interrupted, and so does every later call."""
        with self._lock:
            self._is_stopped = True
            for process in self._running:
                process.kill()

    @property
    def is_stopped(self) -> bool:
        return self._is_stopped

    def start(self, pipe: Connection) -> Popen[bytes]:
        """Start a process that `stop` can end. Raises Interrupted if the executor was stopped."""
        with self._lock:
            if self._is_stopped:
                raise Interrupted
            process = spawn(work, pipe)
            self._running.add(process)
            return process

    def end(self, process: Popen[bytes]) -> None:
        process.kill()
        process.wait()
        with self._lock:
            self._running.discard(process)


class _OneProcess:
    """An `Execute`, for one thread. See `LocalExecutor.one_process`."""

    def __init__(self, executor: LocalExecutor) -> None:
        self._executor = executor
        self._running: tuple[Popen[bytes], Connection] | None = None

    def __call__(self, function: Callable[..., T], *arguments: Any, report: Report, check: Check = unchecked) -> T:
        packed = bytes(ForkingPickler.dumps((function, arguments)))
        try:
            answer = self._answer(packed, report, check)
        except BaseException:
            self._kill()  # the process may still be working
            raise
        match answer:
            case Done(result):
                found: T = result
                return found
            case Refused(refusal):
                raise refusal
            case Failed(reason, details):
                raise WorkFailed(reason) from WorkFailed(details)

    def end(self) -> None:
        """Let the process end by itself, so that its libraries can clean up."""
        if self._running is not None:
            process, pipe = self._running
            with suppress(OSError):
                pipe.send_bytes(NO_MORE)
            with suppress(TimeoutExpired):
                process.wait(ENDING)
            self._kill()

    def _kill(self) -> None:
        if self._running is not None:
            process, pipe = self._running
            self._running = None
            self._executor.end(process)
            pipe.close()

    def _answer(self, packed: bytes, report: Report, check: Check) -> Done | Refused | Failed:
        if self._running is None:
            self._running = self._started()
        process, pipe = self._running
        try:
            pipe.send_bytes(packed)
            while True:
                while not pipe.poll(CHECK_SECONDS):
                    check()
                message: Progress | Done | Refused | Failed = pipe.recv()
                if not isinstance(message, Progress):
                    return message
                report(message.step)
        except (EOFError, ConnectionError):
            raise self._death(process) from None

    def _started(self) -> tuple[Popen[bytes], Connection]:
        ours, theirs = Pipe()
        with theirs:  # closes this process's copy of that end, so that `ours` notices when the child dies
            return self._executor.start(theirs), ours

    def _death(self, process: Popen[bytes]) -> Exception:
        with suppress(TimeoutExpired):
            process.wait(ENDING)
        if self._executor.is_stopped:
            return Interrupted()
        code = process.returncode or 0
        if code < 0:
            return WorkFailed(f"its process was ended by {signal.Signals(-code).name}; is there enough memory?")
        return WorkFailed(f"its process ended with exit code {code}")


def in_one_process(execute: Execute) -> AbstractContextManager[Execute]:
    """The same as `LocalExecutor.one_process`; any other executor is returned as it is."""
    return execute.one_process() if isinstance(execute, LocalExecutor) else nullcontext(execute)
