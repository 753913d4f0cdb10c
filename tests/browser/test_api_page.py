"""The page about the API loads nothing from other servers, and has a strict policy."""

from typing import TYPE_CHECKING

import pytest

from bot.observability.liveness import Liveness
from bot.server.app import create_listener
from core.storage.database import Database
from tests.api.conftest import services_of
from tests.people import support_policy
from tests.web import web_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.mark.slow
def test_the_page_about_the_api_loads_nothing_from_other_hosts(
    chromium: "Browser", database: Database, unused_port: int
) -> None:
    app = create_listener(services_of(database, support_policy()), Liveness())
    address = f"http://127.0.0.1:{unused_port}"
    with web_server(app, unused_port):
        page = chromium.new_page()
        asked: list[str] = []
        complaints: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        policy = page.goto(f"{address}/api/docs")
        assert policy is not None
        assert "script-src 'self';" in policy.headers["content-security-policy"]
        page.get_by_text("/v1/queues/{queue}/predictions").click()
        page.get_by_role("button", name="Try it out").click()
        page.get_by_role("button", name="Execute").wait_for()
        page.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith((f"{address}/", "data:"))] == []
