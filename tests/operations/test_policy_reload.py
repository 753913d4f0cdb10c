"""A policy that changes while Goldloop runs: a web process and a worker take it without a restart."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli.app import app
from bot.runtime.clock import utc_now
from bot.runtime.processes import is_gone
from bot.runtime.services import assemble, slack_client
from bot.sandbox.client import SandboxClient
from bot.sandbox.server import serve
from core.storage.database import Database
from core.storage.running import Running, running
from tests.flows.processes import Bot
from tests.loop import PATIENCE, Loop
from tests.people import ANA, BEN, CLEO, DAN, EVA, LABELS, LEADS, REVIEW, support_policy, workspace

pytestmark = pytest.mark.slow  # processes

UNSURE = {"delivery": 0.5, "refund": 0.4, "billing error": 0.1}
TAKEN_WITHIN = 5.0  # seconds, as docs/operations.md says


@dataclass
class Site:
    """A web process and a worker, with one policy file."""

    loop: Loop
    web: Bot
    worker: Bot
    file: Path
    url: str

    def write(self, reviewers: list[str], labels: list[str]) -> None:
        values = {"channel": REVIEW, "leads_channel": LEADS, "leads": [CLEO], "reviewers": reviewers, "labels": labels}
        lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
        lines += ["[queues.support.review]", "blind_share = 0.0"]
        self.file.write_text("\n".join(["[queues.support]", *lines]), "utf-8")

    def typed(self, *words: str) -> Result:
        environment = {"DATABASE_URL": self.url, "GOLDLOOP_POLICY": str(self.file)}
        return CliRunner().invoke(app, words, env=environment)

    def processes(self) -> list[Running]:
        with self.loop.database.reading(wait=PATIENCE) as session:
            return running(session, utc_now(), is_gone)

    def versions(self) -> dict[str, int]:
        return {one.parts: one.policy_version for one in self.processes()}

    def wait_for(self, **versions: int) -> float:
        """Until these processes decide by these versions; how many seconds that took."""
        wanted = {"Slack over a socket": versions["web"], "the worker": versions["worker"]}
        began = time.monotonic()
        self.loop.box.wait_for(lambda: self.versions() == wanted, PATIENCE, str(wanted))
        return time.monotonic() - began


@contextmanager
def site(database: Database, database_url: str, folder: Path) -> Iterator[Site]:
    with serve(workspace(), port=0) as url, SandboxClient(url) as box, ExitStack() as stack:
        web, worker = (Bot(name, url, database_url, folder, PORT=str(port())) for name in ("web", "worker"))
        file = Path(web.environment["GOLDLOOP_POLICY"])
        services = assemble(database, slack_client(workspace().apps[0].bot_token, f"{url}/api/"), support_policy())
        made = Site(Loop(box, services, database, support_policy()), web, worker, file, database_url)
        made.write([ANA, BEN, EVA], list(LABELS))
        for bot in (web, worker):
            bot.start()
            stack.callback(bot.kill)
        made.wait_for(web=1, worker=1)
        yield made


def port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def hang_up(bot: Bot) -> None:
    assert bot.process is not None
    assert bot.process.pid is not None
    os.kill(bot.process.pid, signal.SIGHUP)


def test_people_and_labels_change_without_a_restart(database: Database, database_url: str, tmp_path: Path) -> None:
    with site(database, database_url, tmp_path) as here:
        loop = here.loop
        loop.predict("T-1", "the sofa came late", UNSURE)
        card = loop.card("the sofa came late")
        here.write([ANA, EVA, DAN], ["delivery", "refund", "fraud"])
        assert "Version 2 of the policy is in force." in here.typed("policy", "reload").output
        loop.ben.click(card, "refund")  # at once: his transaction reads the new version
        loop.told(loop.ben, "Only reviewers of support can vote.")
        took = here.wait_for(web=2, worker=2)
        assert took < TAKEN_WITHIN, took
        loop.box.wait_for(lambda: "fraud" in str(loop.card("the sofa came late").blocks), PATIENCE, "the card anew")
        loop.ana.click(loop.card("the sofa came late"), "fraud")
        loop.told(loop.ana, "Item 1:")
        loop.dan.click(loop.card("the sofa came late"), "fraud")
        loop.card("*fraud* (2 votes)")


def test_sighup_reloads_a_good_file_and_leaves_a_bad_one(database: Database, database_url: str, tmp_path: Path) -> None:
    with site(database, database_url, tmp_path) as here:
        before = here.file.read_text("utf-8")
        here.file.write_text(before.replace("leads = ", "leaders = "), "utf-8")
        hang_up(here.web)
        time.sleep(3)
        assert here.versions() == {"Slack over a socket": 1, "the worker": 1}
        here.write([ANA, EVA, DAN], list(LABELS))
        hang_up(here.worker)
        took = here.wait_for(web=2, worker=2)
        assert took < TAKEN_WITHIN, took
        assert "SIGHUP to process" in here.typed("policy", "history").output.replace("\n", " ")


def test_a_killed_process_starts_under_what_is_stored_whatever_its_file_says(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    with site(database, database_url, tmp_path) as here:
        first = here.file.read_text("utf-8")
        here.write([ANA, EVA, DAN], list(LABELS))
        here.typed("policy", "reload")
        here.worker.kill()
        here.file.write_text(first, "utf-8")  # as on a machine that was not brought up to date
        here.worker.start()
        here.wait_for(web=2, worker=2)
        here.file.write_text("[queues.support", "utf-8")
        here.web.restart()
        here.wait_for(web=2, worker=2)
        assert "are still running" in str(here.typed("restore", "--yes", str(here.file)).exception)
        here.worker.kill()
        here.loop.box.wait_for(lambda: len(here.processes()) == 1, PATIENCE, "the web process alone")
        assert "is still running" in str(here.typed("restore", "--yes", str(here.file)).exception)
