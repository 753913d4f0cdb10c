"""A Goldloop that is set up but does not run: workspace, policy file, migrated database and their settings."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.checks.doctor import run_checks
from bot.checks.finding import Finding, Outcome
from bot.runtime.clock import utc_now
from bot.runtime.settings import Settings
from bot.sandbox.client import SandboxClient
from bot.sandbox.config import SandboxConfig
from bot.sandbox.server import serve
from core.policy.file import load_policy
from core.policy_in_force.versions import put_in_force
from core.storage.database import Database
from tests.flows.conftest import loop, start_loop
from tests.people import ANA, BEN, CLEO, EVA, LABELS, LEADS, REVIEW, workspace

__all__ = ["loop", "start_loop"]  # fixtures of a running Goldloop, for what is watched while it works


@dataclass
class Place:
    """What `goldloop doctor` looks at. `values`: the environment; change it to break something."""

    box: SandboxClient
    database: Database
    policy: Path
    values: dict[str, Any]

    @property
    def settings(self) -> Settings:
        return Settings(**self.values)

    def write(self, **changed: Any) -> None:
        """The policy file anew, and its queue as a row."""
        queue: dict[str, Any] = {"channel": REVIEW, "leads_channel": LEADS, "leads": [CLEO], "labels": list(LABELS)}
        queue |= {"reviewers": [ANA, BEN, EVA], **changed}
        lines = [f"{name} = {json.dumps(value)}" for name, value in queue.items()]
        self.policy.write_text("\n".join(["[queues.support]", *lines]), encoding="utf-8")
        with self.database.transaction() as session:
            put_in_force(session, load_policy(self.policy), "the test", utc_now())

    def findings(self, **how: Any) -> list[Finding]:
        return list(run_checks(self.settings, **{"clock": utc_now, **how}))

    def bad(self, **how: Any) -> list[Finding]:
        return [finding for finding in self.findings(**how) if finding.outcome is Outcome.BAD]


SetUp = Callable[..., Place]


@pytest.fixture
def set_up(database: Database, database_url: str, tmp_path: Path) -> Iterator[SetUp]:
    with ExitStack() as stack:

        def start(config: SandboxConfig | None = None) -> Place:
            place = config or workspace()
            url = stack.enter_context(serve(place))
            box = stack.enter_context(SandboxClient(url))
            values = {
                "DATABASE_URL": database_url,
                "GOLDLOOP_POLICY": tmp_path / "goldloop.toml",
                "SLACK_API_URL": f"{url}/api/",
                "SLACK_BOT_TOKEN": place.apps[0].bot_token,
                "SLACK_APP_TOKEN": place.apps[0].app_token,
            }
            made = Place(box, database, tmp_path / "goldloop.toml", values)
            made.write()
            return made

        yield start


@pytest.fixture
def place(set_up: SetUp) -> Place:
    return set_up()
