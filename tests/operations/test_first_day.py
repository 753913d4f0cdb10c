"""The page docs/slack.md, word by word: its commands in an empty folder against a workspace with the page's ids, over a
socket on SQLite and over HTTP on PostgreSQL."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from bot.sandbox.client import Message, SandboxClient
from bot.sandbox.config import ChannelConfig, PersonConfig, SandboxConfig, app_from_manifest
from bot.sandbox.server import serve
from bot.slack.manifest import manifest, manifest_for
from tests.operations.test_manifest import PAGE

ANA, BEN, CLEO, REVIEW, LEADS = "U0ANA", "U0BEN", "U0CLEO", "C0REVIEW", "C0LEADS"
ENOUGH = 25.0  # seconds; a busy machine starts a process slowly
INIT, CHECK, RUN, INGEST, EXPLAIN = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


def office(port: int, over_http: bool) -> SandboxConfig:
    made = manifest_for(f"http://127.0.0.1:{port}") if over_http else manifest()
    app = app_from_manifest(made, id="A_GOLDLOOP", bot_token="xoxb-page", app_token="xapp-page", signing_secret="page")
    people = tuple(PersonConfig(person, person.lower()) for person in (ANA, BEN, CLEO))
    channels = (ChannelConfig(REVIEW, "review", members=(ANA, BEN)), ChannelConfig(LEADS, "leads", members=(CLEO,)))
    invited = tuple(replace(channel, members=(*channel.members, "A_GOLDLOOP")) for channel in channels)
    return SandboxConfig(people=people, channels=invited, apps=(app,), rates=False)


class Terminal:
    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        program = folder / "bin" / "goldloop"
        program.parent.mkdir()
        program.write_text(
            f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c "from bot.cli.app import main; main()" "$@"\n'
        )
        program.chmod(0o755)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "GOLDLOOP_"))}
        self.environment = {**kept, "PATH": f"{program.parent}:{os.environ['PATH']}", "COLUMNS": "200", **environment}

    def type(self, words: str) -> str:
        done = subprocess.run(
            ["bash", "-e", "-c", words], cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def running(self, words: str) -> Iterator[None]:
        with (self.folder / "log").open("w") as log:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {words}"], cwd=self.folder, env=self.environment, stderr=log
            )
            try:
                yield
            finally:
                process.send_signal(signal.SIGTERM)
                assert process.wait(ENOUGH) == 0


pytestmark = pytest.mark.release


@pytest.fixture
def over_http(database_kind: str) -> bool:
    return database_kind == "postgresql"


@pytest.fixture
def box_and_terminal(
    database_url: str, over_http: bool, unused_port: int, tmp_path: Path
) -> Iterator[tuple[SandboxClient, Terminal]]:
    with serve(office(unused_port, over_http)) as url, SandboxClient(url) as box:
        way = {"SLACK_SIGNING_SECRET": "page"} if over_http else {"SLACK_APP_TOKEN": "xapp-page"}
        where = {"SLACK_API_URL": f"{url}/api/", "DATABASE_URL": database_url, "PORT": str(unused_port)}
        (tmp_path / "empty").mkdir()
        yield box, Terminal(tmp_path / "empty", SLACK_BOT_TOKEN="xoxb-page", HOST="127.0.0.1", **way, **where)


def test_the_page_leads_from_nothing_to_a_settled_item(
    box_and_terminal: tuple[SandboxClient, Terminal], over_http: bool, unused_port: int
) -> None:
    box, terminal = box_and_terminal
    address = f"http://127.0.0.1:{unused_port}"
    assert "Wrote goldloop.toml with 3 labels." in terminal.type(INIT)
    told = terminal.type(CHECK)
    assert "The database is up to date." in told
    assert "No checks failed." in told
    assert "No worker is sending to Slack" in " ".join(told.split())
    with terminal.running(RUN.strip()):
        box.wait_for(lambda: answers(address), ENOUGH)
        if over_http:
            assert "answers Slack's challenge" in terminal.type(f"goldloop doctor --url {address}")
        assert "1 new, 0 already stored, 1 flagged for review, 0 rejected." in terminal.type(INGEST)
        card = shown(box, "i want my money back")
        for person in (ANA, BEN):
            assert box.person(person).click(card, "refund").ok
        assert "refund" not in shown(box, "*refund* (2 votes)").buttons
        assert httpx.get(f"{address}/health/ready").json()["ready"] is True
        assert "sends to Slack" in (told := terminal.type("goldloop doctor"))
        assert "No worker" not in told
    story = terminal.type(EXPLAIN)
    assert "refund" in story
    assert "Decided: refund" in story


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health/ready").status_code == 200
    except httpx.HTTPError:
        return False


def shown(box: SandboxClient, words: str) -> Message:
    """The newest message to all with these words, once it is there."""

    def found() -> Message | None:
        hits = [one for one in box.person(ANA).messages(REVIEW) if words in one.plain and not one.ephemeral]
        return hits[-1] if hits else None

    message = box.wait_for(found, ENOUGH, what=f"a message with “{words}”")
    assert message is not None
    return message
