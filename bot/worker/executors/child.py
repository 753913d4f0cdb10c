"""The child process of the local executor, and the messages that it sends. This module imports little: the process
starts anew for each job, and it must end with the worker even while it still loads libraries."""

import contextlib
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from bot.runtime.gc_tuning import collect_seldom
from core.errors import Refusal
from core.vocabulary import Coded

NO_MORE = b""


@dataclass(frozen=True)
class Progress:
    step: Coded


@dataclass(frozen=True)
class Done:
    result: Any


@dataclass(frozen=True)
class Refused:
    refusal: Refusal


@dataclass(frozen=True)
class Failed:
    """The message that the work has failed. reason: one line; details: the traceback, for the log."""

    reason: str
    details: str


def work(pipe: Connection) -> None:
    """Do the pieces of work that the worker sends by the pipe, one after the other, until it sends `NO_MORE`. Each is a
    pickled function with its arguments; unpacking it imports the function's module. Signals that a terminal or a
    service manager sends to all processes are the worker's business."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    pieces: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_receive, args=(pipe, pieces), daemon=True).start()
    collect_seldom()
    while (packed := pieces.get()) != NO_MORE:
        pipe.send(_outcome(packed, lambda step: pipe.send(Progress(step))))


def _outcome(packed: bytes, report: Callable[[Coded], None]) -> Done | Refused | Failed:
    try:
        function, arguments = pickle.loads(packed)  # noqa: S301 - of the worker that started this process
        return Done(function(*arguments, report))
    except Refusal as refusal:
        return Refused(refusal)
    except Exception as error:  # noqa: BLE001 - the edge of this process; the worker logs it
        return Failed(f"{type(error).__name__}: {error}", traceback.format_exc())


def _receive(pipe: Connection, pieces: "SimpleQueue[bytes]") -> None:
    """Receive pieces of work. Ends this process when the other end of the pipe is closed: the worker has ended, or has
    given the work up."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            pieces.put(pipe.recv_bytes())
    os._exit(1)
