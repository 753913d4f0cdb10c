"""The Procfile under honcho: web and worker as two processes, each watched at its own port, ended by one SIGTERM."""

import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bot.sandbox.client import SandboxClient
from bot.sandbox.server import serve
from tests.operations.test_first_day import ANA, BEN, CHECK, ENOUGH, INGEST, INIT, Terminal, answers, office, shown

pytestmark = [pytest.mark.release, pytest.mark.usefixtures("database_url")]
STEP = 100  # honcho gives the second process a port this much higher


@pytest.fixture
def port() -> int:
    for candidate in range(20_000, 30_000, 7):
        with socket.socket() as one, socket.socket() as other:
            try:
                one.bind(("127.0.0.1", candidate))
                other.bind(("127.0.0.1", candidate + STEP))
            except OSError:
                continue
            return candidate
    raise AssertionError("no two free ports")


@pytest.fixture
def desk(database_url: str, port: int, tmp_path: Path) -> Iterator[tuple[SandboxClient, Terminal]]:
    (tmp_path / "empty").mkdir()
    with serve(office(port, over_http=True)) as url, SandboxClient(url) as box:
        where = {"SLACK_API_URL": f"{url}/api/", "DATABASE_URL": database_url, "HOST": "127.0.0.1"}
        terminal = Terminal(tmp_path / "empty", SLACK_BOT_TOKEN="xoxb-page", SLACK_SIGNING_SECRET="page", **where)
        shutil.copy(Path(__file__).resolve().parents[2] / "Procfile", terminal.folder)
        yield box, terminal


def test_web_and_worker_settle_an_item_together(desk: tuple[SandboxClient, Terminal], port: int) -> None:
    box, terminal = desk
    terminal.type(INIT)
    assert "No checks failed." in terminal.type(CHECK)
    honcho = [sys.executable, "-m", "honcho", "start", "--no-prefix", "--port", str(port), "web", "worker"]
    with (terminal.folder / "log").open("w") as log:
        process = subprocess.Popen(honcho, cwd=terminal.folder, env=terminal.environment, stdout=log, stderr=log)
        try:
            for each in (port, port + STEP):
                box.wait_for(lambda each=each: answers(f"http://127.0.0.1:{each}"), ENOUGH)  # type: ignore[misc]
            assert "scheduler" not in httpx.get(f"http://127.0.0.1:{port}/health/ready").json()
            assert "scheduler" in httpx.get(f"http://127.0.0.1:{port + STEP}/health/ready").json()
            terminal.type(INGEST)
            card = shown(box, "i want my money back")
            assert all(box.person(person).click(card, "refund").ok for person in (ANA, BEN))
            shown(box, "*refund* (2 votes)")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(ENOUGH)
    assert "Traceback" not in (terminal.folder / "log").read_text()
