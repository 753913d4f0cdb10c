"""The same bot over HTTP: only signed requests are accepted."""

import time
from collections.abc import Iterator

import httpx
import pytest

from core.storage.database import Database
from tests.loop import Loop, running_loop

pytestmark = pytest.mark.usefixtures("sqlite_only")


@pytest.fixture
def http_loop(database: Database, unused_port: int) -> Iterator[tuple[Loop, str]]:
    with running_loop(database, port=unused_port) as loop:
        yield loop, f"http://127.0.0.1:{unused_port}"


@pytest.mark.slow
def test_votes_forms_commands_and_events_arrive_over_http(http_loop: tuple[Loop, str]) -> None:
    loop, address = http_loop
    assert httpx.get(f"{address}/health").json() == {"status": "ok"}
    loop.predict("T-1", "the sofa came late", {"delivery": 0.5, "refund": 0.4})
    card = loop.card("the sofa came late")
    assert loop.ana.click(card, "refund").ok
    loop.told(loop.ana, "Item 1:")
    loop.ben.click(card, "Why?")
    loop.box.wait_for(lambda: loop.ben.view)
    assert loop.ben.submit({"label": "refund", "note": "wants money"}).ok
    loop.card("*refund* (2 votes)")
    assert "settled" in str(loop.ana.command("/goldloop stats", channel=card.channel).response).lower()
    assert "done today" in loop.ana.open_home().plain


@pytest.mark.slow
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
