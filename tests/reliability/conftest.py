"""A running Goldloop whose database is reached by a way on which things go wrong (proxy.py)."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import make_url

from bot.budget import Budget
from bot.clock import utc_now
from bot.pulse import Pulse
from bot.sandbox.client import SandboxClient
from bot.sandbox.config import SandboxConfig
from bot.sandbox.server import serve
from bot.slack.app import build_app
from bot.slack.connection import socket_mode
from bot.slack.people import refresh_people
from bot.web import create_app
from bot.wiring import assemble, slack_client
from bot.worker import worker
from core.database import Database
from core.policy import Policy
from core.queues import sync_queues
from tests.flows.conftest import HURRY, Loop
from tests.flows.test_signed_http import web_server
from tests.people import support_policy, workspace
from tests.reliability.proxy import Proxy


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[Proxy]:
    """The way to a database of PostgreSQL that is this test's own."""
    address = make_url(postgres_url)
    way = Proxy(str(address.host), address.port or 5432)
    yield way
    way.close()


@pytest.fixture
def shaky(proxy: Proxy, postgres_url: str) -> Iterator[Database]:
    """The database by that way."""
    database = Database(at_port(postgres_url, proxy.port))
    yield database
    database.close()


@pytest.fixture
def straight(postgres_url: str) -> Iterator[Database]:
    """The same one, for the test to look into."""
    database = Database(postgres_url)
    yield database
    database.close()


def at_port(url: str, port: int) -> str:
    return make_url(url).set(port=port).render_as_string(hide_password=False)


@contextmanager
def running_loop(
    database: Database,
    seen_by: Database,
    policy: Policy | None = None,
    config: SandboxConfig | None = None,
    port: int | None = None,
) -> Iterator[Loop]:
    """Workspace, bot and worker on `database`. seen_by: what the test acts on as a sender. port: over HTTP, there."""
    rules, place = policy or support_policy(), config or workspace()
    if port is not None:
        app = replace(place.apps[0], request_url=f"http://127.0.0.1:{port}/slack/events")
        place = replace(place, apps=(app,))
    app = place.apps[0]
    with ExitStack() as stack:
        url = stack.enter_context(serve(place, port=0))
        box = stack.enter_context(SandboxClient(url))
        budget = Budget(lambda: time.monotonic() * HURRY)
        services = assemble(database, slack_client(app.bot_token, f"{url}/api/"), rules, budget)
        with seen_by.transaction() as session:
            sync_queues(session, rules, utc_now())
        refresh_people(services)
        pulse = Pulse()
        if port is None:
            stack.enter_context(socket_mode(build_app(services), app.app_token))
        else:
            slack = build_app(services, signing_secret=app.signing_secret)
            stack.enter_context(web_server(create_app(services, slack, app.signing_secret, pulse), port))
        stack.enter_context(worker(services, pulse))
        yield Loop(box, services, seen_by, rules)
