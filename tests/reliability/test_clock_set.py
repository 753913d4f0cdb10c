"""The clock of the machine is put back an hour, and right again, while Goldloop runs. Slack's clock is right."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.runtime.clock import utc_now
from bot.runtime.services import assemble, slack_client
from bot.sandbox.client import Message, Person, SandboxClient
from bot.sandbox.server import serve
from core.policy_in_force.sync import sync_queues
from core.storage.database import Database
from tests.flows.processes import Bot
from tests.flows.test_outages import until_heard
from tests.loop import Loop
from tests.people import REVIEW, support_policy, workspace

pytestmark = pytest.mark.usefixtures("sqlite_only")

UNSURE = {"delivery": 0.5, "refund": 0.4, "billing error": 0.1}


class Clock:
    """What a process believes that the time is: a library that is loaded before all others reads it from a file."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        found = importlib.util.find_spec("libfaketime")
        assert found is not None
        assert found.origin is not None
        [library] = Path(found.origin).parent.rglob("libfaketime.so.1")
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",  # seconds between two looks at the file
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.set(0)

    def set(self, seconds: int) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds:+d}", encoding="utf-8")
        new.replace(self._file)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path)


@pytest.fixture
def loop(database: Database, tmp_path: Path, clock: Clock) -> Iterator[Loop]:
    config, policy = workspace(), support_policy()
    with serve(config, port=0) as url, SandboxClient(url) as box:
        with database.transaction() as session:
            sync_queues(session, policy, utc_now())
        address = database.engine.url.render_as_string(hide_password=False)
        bot = Bot("run", url, address, tmp_path, PORT="0")
        environment = {**os.environ, **bot.environment, **clock.environment}
        command = [sys.executable, "-c", "from bot.cli.app import main; main()", "run"]
        with subprocess.Popen(command, env=environment) as process:
            yield Loop(box, assemble(database, slack_client("xoxb-none", f"{url}/api/"), policy), database, policy)
            process.kill()


def clicks(loop: Loop, person: Person, card: Message, label: str, item: int) -> None:
    """Again, if they are asked to: a process that has just begun is slow."""
    until_heard(lambda: person.click(card, label).ok and is_told(loop, person, item, label))


def fills_in(loop: Loop, person: Person, card: Message, label: str, item: int) -> None:
    def sent() -> bool:
        if not person.click(card, "Why?").ok:
            return False
        loop.box.wait_for(lambda: person.view)
        return person.submit({"label": label}).ok and is_told(loop, person, item, label)

    until_heard(sent)


def is_told(loop: Loop, person: Person, item: int, label: str) -> bool:
    words = f"Item {item}: *{label}*"
    try:
        loop.box.wait_for(lambda: [one for one in person.messages(REVIEW) if one.ephemeral and words in one.plain], 5)
    except TimeoutError:
        return False
    return True


@pytest.mark.slow
def test_nothing_waits_and_nothing_is_sent_twice(loop: Loop, clock: Clock) -> None:
    loop.predict("T-1", "the sofa came late", UNSURE)
    first = loop.card("the sofa came late")
    clicks(loop, loop.ana, first, "refund", item=1)
    clock.set(-3600)
    loop.predict("T-2", "the lamp came broken", UNSURE)  # by a machine whose clock is right
    second = loop.card("the lamp came broken")
    fills_in(loop, loop.ana, first, "billing error", item=1)
    fills_in(loop, loop.ben, first, "billing error", item=1)
    loop.card("*billing error* (2 votes)")
    fills_in(loop, loop.ana, second, "refund", item=2)
    clock.set(0)
    clicks(loop, loop.ana, second, "delivery", item=2)
    clicks(loop, loop.ben, second, "delivery", item=2)
    loop.card("*delivery* (2 votes)")
    for words in ("the sofa came late", "the lamp came broken"):
        cards = [one for one in loop.ana.messages(REVIEW) if words in one.plain and not one.ephemeral]
        assert len(cards) == 1
