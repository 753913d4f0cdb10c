"""The environment of a round: a folder, a workspace, a database, a policy file and the environment variables."""

import json
import os
import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.chaos.receiver import SECRET, Receiver, receiving
from benchmarks.chaos.texts import LABELS, seeds
from bot.runtime.clock import utc_now
from bot.runtime.migrate import migrate
from bot.sandbox.client import SandboxClient
from bot.sandbox.config import AppConfig, ChannelConfig, PersonConfig, SandboxConfig, app_from_manifest
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.server import serving
from bot.slack.manifest import manifest, manifest_for
from core.learning.data.seeds import add_seeds
from core.people.api_tokens import create_token
from core.policy import Policy
from core.policy.file import load_policy
from core.policy.integrations import secret_variable
from core.policy_in_force.sync import sync_queues
from core.storage.database import Database
from core.vocabulary import Scope
from tests.postgres import PostgresServer

Kind = Literal["sqlite", "postgresql"]
Way = Literal["http", "socket"]

QUEUE = "support"
REVIEWERS = ("U_ANA", "U_BEN", "U_EVA", "U_FAY", "U_GUS", "U_HAL")
LEADS = ("U_CLEO", "U_DORA")
WATCHER = "U_DAN"  # sees both channels and does nothing
REVIEW, LEADS_CHANNEL = "C_REVIEW", "C_LEADS"
ENDPOINT = "helpdesk"
PORTS = range(20_000, 32_000)  # below those that the system gives to outgoing connections, so none is taken meanwhile

POLICY = """\
[queues.{queue}]
title = "Support tickets"
channel = "{review}"
leads_channel = "{leads_channel}"
reviewers = {reviewers}
leads = {leads}
labels = {labels}
guideline = "Money back is a refund; a wrong amount is a billing error."
flagging = {{ confidence = 0.8, audit_share = 0.0 }}
review = {{ blind_share = 0.3 }}
consensus = {{ rule = "lead_by_2", votes = 5, cannot_judge = 2 }}
workload = {{ daily_cap = 10000 }}
golden = {{ seed_share = 0.3, second_looks = 0 }}
retraining = {{ corrections = 8 }}

[api]
requests_per_minute = 100000

[webhooks.{endpoint}]
url = "{hooks}"
"""


@dataclass(frozen=True)
class Place:
    folder: Path
    way: Way
    sandbox: Sandbox
    box: SandboxClient
    database: Database
    server: PostgresServer | None  # None: SQLite
    policy: Policy
    receiver: Receiver
    token: str
    environment: dict[str, str]
    ports: tuple[int, ...]  # of the processes, Slack's and the API's first

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"


@contextmanager
def laid_out(folder: Path, kind: Kind, way: Way) -> Iterator[Place]:
    """Everything but the processes. The folder stays; the caller deletes it after a good round."""
    folder.mkdir(parents=True)
    ports = _free_ports(4)
    with ExitStack() as stack:
        sandbox = Sandbox(_workspace(way, ports[0]))
        url = stack.enter_context(serving(sandbox))
        box = stack.enter_context(SandboxClient(url))
        receiver = stack.enter_context(receiving(ports[3]))
        policy = folder / "goldloop.toml"
        policy.write_text(_policy_text(receiver.url), encoding="utf-8")
        server = PostgresServer(durable=True) if kind == "postgresql" else None
        if server is not None:
            stack.callback(server.close)
        database_url = server.url() if server else f"sqlite:///{folder / 'goldloop.sqlite'}"
        database = Database(database_url)
        stack.callback(database.close)
        app = sandbox.workspace.config.apps[0]
        rules = load_policy(policy)
        token = _filled(database, rules)
        environment = _environment(folder, url, app, database_url, way)
        yield Place(folder, way, sandbox, box, database, server, rules, receiver, token, environment, ports[:3])


def _filled(database: Database, policy: Policy) -> str:
    """Tables, queue and seed rows; returns a token for the API."""
    migrate(database)
    with database.transaction() as session:
        sync_queues(session, policy, utc_now())
        add_seeds(session, seeds(), utc_now(), policy.queues[0])
        return create_token(session, "helpdesk", "of the helpdesk", tuple(Scope), QUEUE, utc_now())


def _workspace(way: Way, port: int) -> SandboxConfig:
    made = manifest_for(f"http://127.0.0.1:{port}") if way == "http" else manifest()
    app = app_from_manifest(made, id="A_GOLDLOOP", name="goldloop")
    people = tuple(PersonConfig(one, one.removeprefix("U_").lower()) for one in (*REVIEWERS, *LEADS, WATCHER))
    everyone = (*REVIEWERS, *LEADS, WATCHER, "A_GOLDLOOP")
    return SandboxConfig(
        people=people,
        channels=(
            ChannelConfig(REVIEW, "support-review", members=everyone),
            ChannelConfig(LEADS_CHANNEL, "support-leads", members=(*LEADS, WATCHER, "A_GOLDLOOP")),
        ),
        apps=(app,),
        rates=False,  # two workers with a budget each, which begins anew with every start, are faster than Slack allows
    )


def _policy_text(hooks: str) -> str:
    return POLICY.format(
        queue=QUEUE,
        review=REVIEW,
        leads_channel=LEADS_CHANNEL,
        reviewers=json.dumps(REVIEWERS),
        leads=json.dumps(LEADS),
        labels=json.dumps(LABELS),
        endpoint=ENDPOINT,
        hooks=hooks,
    )


def _environment(folder: Path, url: str, app: AppConfig, database_url: str, way: Way) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "GOLDLOOP_"))}
    connection = (
        {"SLACK_SIGNING_SECRET": app.signing_secret} if way == "http" else {"SLACK_APP_TOKEN": app.app_token}
    )  # fmt: skip
    return {
        **kept,
        **connection,
        "DATABASE_URL": database_url,
        "GOLDLOOP_POLICY": str(folder / "goldloop.toml"),
        "GOLDLOOP_LOG": "json",
        "SLACK_API_URL": f"{url}/api/",
        "SLACK_BOT_TOKEN": app.bot_token,
        secret_variable(ENDPOINT): SECRET,
        "HOST": "127.0.0.1",
        "OMP_NUM_THREADS": "1",  # a fit must not take the second core from those who click
    }


def _free_ports(wanted: int) -> tuple[int, ...]:
    found: list[int] = []
    while len(found) < wanted:
        port = random.SystemRandom().choice(PORTS)
        with socket.socket() as probe:
            if port not in found and probe.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
    return tuple(found)
