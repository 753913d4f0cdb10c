"""A Dask scheduler and its workers as processes of their own, with TLS, as an operator starts them."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

START_SECONDS = 120  # on a busy machine


@dataclass(frozen=True)
class Certificate:
    """Files. The certificate is its own authority: only those who have it may join or connect."""

    cert: Path
    key: Path

    def options(self) -> list[str]:
        return ["--tls-ca-file", str(self.cert), "--tls-cert", str(self.cert), "--tls-key", str(self.key)]


def new_certificate(folder: Path, name: str = "cluster") -> Certificate:
    """Made by openssl. Skips the test where it is not installed."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, so no certificate can be made for the cluster.")
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    subprocess.run([*command, "-keyout", made.key, "-out", made.cert], check=True, capture_output=True)
    return made


@dataclass
class DaskProcesses:
    """A scheduler on this port, and workers with a thread each. Whatever was killed is started again by `restore`."""

    folder: Path
    certificate: Certificate
    port: int
    workers: int = 2
    environment: Mapping[str, str] | None = None
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"tls://127.0.0.1:{self.port}"

    def restore(self) -> None:
        """Start what does not run. Workers end with their scheduler, after a while: so they are replaced with it."""
        if not self._runs("scheduler"):
            self.close()
            self._start("scheduler", "--protocol", "tls", "--port", str(self.port), "--no-dashboard")
        for number in range(self.workers):
            name = f"worker {number}"
            if not self._runs(name):
                options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(self.folder))
                self._start(name, self.address, *options)

    def wait(self) -> None:
        """Until all workers have registered."""
        deadline = time.monotonic() + START_SECONDS
        logs = [self._log(f"worker {number}") for number in range(self.workers)]
        while not all(log.exists() and b"Registered to" in log.read_bytes() for log in logs):
            assert time.monotonic() < deadline, "\n".join(log.read_text() for log in self.folder.glob("*.log"))
            time.sleep(0.1)

    def kill(self, name: str) -> None:
        """kill -9 of "scheduler" or "worker N"."""
        self.running[name].kill()
        self.running[name].wait()

    def close(self) -> None:
        for name in self.running:
            self.kill(name)

    def _runs(self, name: str) -> bool:
        return name in self.running and self.running[name].poll() is None

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _start(self, name: str, *words: str) -> None:
        kind = name.split()[0]
        command: Sequence[str] = (sys.executable, "-m", "dask", kind, *words, "--host", "127.0.0.1")
        with self._log(name).open("wb") as log:
            self.running[name] = subprocess.Popen(
                [*command, *self.certificate.options()], stdout=log, stderr=log, env=self.environment
            )


@contextmanager
def dask_processes(folder: Path, port: int, workers: int = 2) -> Iterator[DaskProcesses]:
    cluster = DaskProcesses(folder, new_certificate(folder), port, workers)
    try:
        cluster.restore()
        cluster.wait()
        yield cluster
    finally:
        cluster.close()
