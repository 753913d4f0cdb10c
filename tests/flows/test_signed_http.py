"""The same bot where Slack reaches it over HTTP: signed requests, nothing else is heard."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest
import uvicorn

from bot.clock import utc_now
from bot.sandbox.client import SandboxClient
from bot.sandbox.config import SandboxConfig
from bot.sandbox.server import serve
from bot.slack.app import build_app
from bot.slack.people import refresh_people
from bot.web import create_app
from bot.wiring import assemble, slack_client
from bot.worker import worker
from core.database import Database
from core.queues import sync_queues
from tests.flows.conftest import Loop
from tests.people import support_policy, workspace

pytestmark = pytest.mark.usefixtures("sqlite_only")


@contextmanager
def web_server(app: object, port: int) -> Iterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def http_loop(database: Database, unused_port: int) -> Iterator[tuple[Loop, str]]:
    address = f"http://127.0.0.1:{unused_port}"
    base = workspace()
    app_config = replace(base.apps[0], request_url=f"{address}/slack/events")
    config: SandboxConfig = replace(base, apps=(app_config,))
    policy = support_policy()
    with serve(config, port=0) as url, SandboxClient(url) as box:
        services = assemble(database, slack_client(app_config.bot_token, f"{url}/api/"), policy)
        with database.transaction() as session:
            sync_queues(session, policy, utc_now())
        refresh_people(services)
        slack = build_app(services, signing_secret=app_config.signing_secret)
        with web_server(create_app(services, slack, app_config.signing_secret), unused_port), worker(services):
            yield Loop(box, services, database, policy), address


def test_votes_forms_commands_and_events_arrive_over_http(http_loop: tuple[Loop, str]) -> None:
    loop, address = http_loop
    assert httpx.get(f"{address}/health").json() == {"status": "ok"}
    loop.predict("T-1", "the sofa came late", {"delivery": 0.5, "refund": 0.4})
    card = loop.card("the sofa came late")
    assert loop.ana.click(card, "refund").ok
    loop.told(loop.ana, "Recorded for item 1")
    loop.ben.click(card, "Why?")
    loop.box.wait_for(lambda: loop.ben.view)
    assert loop.ben.submit({"label": "refund", "note": "wants money"}).ok
    loop.card("votes: 2 × refund")
    assert "settled" in str(loop.ana.command("/goldloop stats", channel=card.channel).response).lower()
    assert "done today" in loop.ana.open_home().plain


def test_what_is_not_signed_is_not_heard(http_loop: tuple[Loop, str]) -> None:
    _loop, address = http_loop
    old = {"x-slack-request-timestamp": "1", "x-slack-signature": "v0=00"}
    for headers in (
        {},
        old,
        old | {"x-slack-request-timestamp": str(int(time.time()))},
        old | {"x-slack-request-timestamp": "x"},
    ):
        for body in (b"", b"payload=%7B%7D", b"\xff\xfe", b"{" * 10_000):
            answer = httpx.post(f"{address}/slack/events", content=body, headers=headers)
            assert answer.status_code == 401
            assert "Traceback" not in answer.text
