"""The socket to Slack ends without a word: it is noticed, and the bot answers within three seconds of the network."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from slack_bolt import App
from slack_sdk import WebClient

from bot.sandbox.client import ControlError, SandboxClient
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.server import serving
from bot.slack.inbound.socket_mode import socket_mode
from tests.conformance.runs import free_port
from tests.reliability.proxy import Proxy
from tests.sandbox.conftest import CONFIG

MOST_SECONDS = 3.0  # from the network's return to the first answer
FILE = """
[[people]]
id = "U_ANA"
name = "ana"

[[channels]]
id = "C_REVIEW"
name = "review"
members = ["ana", "A_LOOP"]

[[apps]]
id = "A_LOOP"
name = "loop"
commands = [{ command = "/loop" }]
"""


@contextmanager
def bot(address: str) -> Iterator[None]:
    """Our side of the socket, with a command that answers at once."""
    app = App(name="loop", client=WebClient("xoxb-A_LOOP", base_url=f"{address}/api/"))
    app.command("/loop")(lambda ack: ack())
    with socket_mode(app, "xapp-A_LOOP"):
        yield


def answers(box: SandboxClient) -> bool:
    try:
        return box.person("ana").command("/loop", "review").ok
    except (ControlError, httpx.HTTPError):
        return False


def seconds_until_answered(box: SandboxClient) -> float:
    start = time.monotonic()
    box.wait_for(lambda: answers(box), what="an answer")
    return time.monotonic() - start


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(CONFIG)


@pytest.mark.slow
@pytest.mark.parametrize("abruptly", [True, False])
def test_after_a_drop_it_answers_within_three_seconds(sandbox: Sandbox, abruptly: bool) -> None:
    with serving(sandbox) as address, SandboxClient(address) as box, bot(address):
        for _ in range(3):
            box.wait_for(lambda: answers(box))
            assert box.drop_sockets(abruptly=abruptly) == 1
            assert seconds_until_answered(box) < MOST_SECONDS


@pytest.mark.slow
@pytest.mark.parametrize("outage", [1.0, 4.0, 12.0])
def test_after_packets_were_dropped_it_answers_within_three_seconds(sandbox: Sandbox, outage: float) -> None:
    with serving(sandbox) as address, SandboxClient(address) as box:
        proxy = Proxy("127.0.0.1", int(address.rpartition(":")[2]))
        way = sandbox.workspace.base_url = f"http://127.0.0.1:{proxy.port}"
        with bot(way):
            assert answers(box)
            with proxy.black_hole():
                time.sleep(outage)
                assert not answers(box)
            assert seconds_until_answered(box) < MOST_SECONDS
        proxy.close()


@pytest.mark.slow
def test_after_a_workspace_that_was_killed_it_answers_within_three_seconds(tmp_path: Path) -> None:
    file, port = tmp_path / "workspace.toml", free_port()
    file.write_text(FILE)
    with killable(file, port) as process, SandboxClient(f"http://127.0.0.1:{port}") as box, bot(box.address):
        assert answers(box)
        process.kill()
        time.sleep(2)
        with killable(file, port):
            assert seconds_until_answered(box) < MOST_SECONDS


@contextmanager
def killable(file: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A workspace as a process of its own, from when it can be reached."""
    command = [sys.executable, "-m", "bot.sandbox", "--config", str(file), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.communicate()
