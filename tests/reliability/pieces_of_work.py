"""Pieces of work for another process: at the top of a module, and of one that is imported in no time."""

import os
import signal
import time
from pathlib import Path

from core.errors import Invalid
from core.jobs import Report
from core.vocabulary import Coded, RunStep

MEGABYTE = 1_000_000
HERE = Coded(RunStep.FITTING, {"rows": 1})

HOARD: list[bytes] = []


def process_of(report: Report) -> int:
    report(HERE)
    return os.getpid()


def refuse(report: Report) -> None:
    raise Invalid("All rows have one label.", field="learner", rows=3)


def break_down(report: Report) -> None:
    raise ValueError("no such column")


def die(report: Report) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave(report: Report) -> None:
    os._exit(3)


def stay(began: Path, report: Report) -> None:
    began.touch()
    time.sleep(600)


def hoard(megabytes: int, report: Report) -> None:
    HOARD.append(b"x" * megabytes * MEGABYTE)
