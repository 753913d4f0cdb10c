"""Goldloop's own processes, as an operator starts them, for as long as a measurement takes."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.load import SECRET

ROOT = Path(__file__).resolve().parents[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(url: str, policy: Path, slack_port: int, port: int) -> dict[str, str]:
    return {
        "DATABASE_URL": url,
        "GOLDLOOP_POLICY": str(policy),
        "SLACK_API_URL": f"http://127.0.0.1:{slack_port}/api/",
        "SLACK_BOT_TOKEN": "xoxb-benchmark",
        "SLACK_SIGNING_SECRET": SECRET,
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }


@contextmanager
def running(
    *command: str, env: dict[str, str] | None = None, port: int | None = None
) -> Iterator[subprocess.Popen[str]]:
    """`python …` as a process of its own, from when it listens at the port until the block is left."""
    process = subprocess.Popen(
        [sys.executable, *command], env={**os.environ, **(env or {})}, cwd=ROOT, text=True,
        stdout=subprocess.DEVNULL, stderr=sys.stderr if os.environ.get("SHOW") else subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_for(port, process)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def goldloop(*words: str) -> tuple[str, ...]:
    return "-c", f"import sys; from bot.cli.app import main; sys.argv = {['goldloop', *words]!r}; main()"


def _wait_for(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"{process.args!r} does not listen at {port}; SHOW=1 shows why")
