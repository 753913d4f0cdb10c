"""A Goldloop process that may be killed: as operators type it, or forked off one that has imported everything.

Typed, it takes three seconds of imports until it is there, in which nothing can go wrong; forked it is there at once, a
process with its own id, memory and sockets all the same. So most are forked, and some are typed.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from tests.flows.processes import forking, goldloop

PROGRAM = "from bot.cli.app import main; main()"
LIBC = ctypes.CDLL(None)  # loaded before any fork: loading may take a lock that another thread holds
PR_SET_PDEATHSIG = 1
REPOSITORY = Path(__file__).resolve().parents[2]


class Running(Protocol):
    """code: None while it runs. wait: True when it has ended."""

    @property
    def pid(self) -> int: ...
    @property
    def code(self) -> int | None: ...
    def signal(self, number: int) -> None: ...
    def wait(self, seconds: float) -> bool: ...


class Typed:
    def __init__(self, command: str, environment: Mapping[str, str], log: Path) -> None:
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, command],
                env=environment,
                cwd=REPOSITORY,
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl-C is for us; we tell them
                preexec_fn=_end_with_us,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def code(self) -> int | None:
        return self._process.poll()

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


class Forked:
    def __init__(self, command: str, environment: Mapping[str, str], log: Path) -> None:
        self._process = forking().Process(target=_logged, args=(command, dict(environment), log))
        self._process.start()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    @property
    def code(self) -> int | None:
        return self._process.exitcode

    def signal(self, number: int) -> None:
        if self._process.is_alive():
            os.kill(self.pid, number)

    def wait(self, seconds: float) -> bool:
        self._process.join(seconds)
        return not self._process.is_alive()


def _logged(command: str, environment: dict[str, str], log: Path) -> None:
    """What a forked process runs."""
    _end_with_us()
    os.setsid()
    out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for stream in (1, 2):
        os.dup2(out, stream)
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    goldloop(command, environment)


def _end_with_us() -> None:
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
