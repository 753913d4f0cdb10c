"""A process that is told to end while people vote: each click that was answered is stored, or was refused in words.
Over the socket, what waits is acknowledged before the socket closes."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from sqlalchemy import select

from bot.runtime.clock import utc_now
from bot.sandbox.server import serve
from bot.slack.inbound.app import build_app
from bot.slack.inbound.socket_mode import socket_mode
from core.records.reviews import Answer, ReviewItem
from core.storage.database import PATIENT, Database
from tests.bot.test_answers import slack
from tests.core.desk import opened
from tests.flows.conftest import loop, start_loop
from tests.flows.processes import Bot
from tests.loop import Loop
from tests.people import ANA, BEN, EVA, support_policy, workspace
from tests.security.conftest import SECRET, signature

__all__ = ["loop", "start_loop"]

UNSURE = {"delivery": 0.5, "refund": 0.4, "billing error": 0.1}
ITEMS = 150
PATIENCE = 60.0
Click = tuple[int, str]


def skip_clicked(person: str, item: int, response_url: str) -> bytes:
    return urlencode({"payload": json.dumps(skip(person, item, response_url))}).encode()


def skip(person: str, item: int, response_url: str = "") -> dict[str, Any]:
    button = {"action_id": "vote:0", "block_id": "b", "type": "button"}
    return {
        "type": "block_actions", "team": {"id": "T_LOCAL"}, "user": {"id": person, "team_id": "T_LOCAL"},
        "channel": {"id": "C_REVIEW"}, "trigger_id": "1", "response_url": response_url,
        "actions": [button | {"value": f"{item}|skip", "action_ts": f"{item}.1"}],
    }  # fmt: skip


def skipping(address: str, person: str, response_url: str) -> list[Click]:
    """What was answered, until the process ends."""
    answered: list[Click] = []
    with httpx.Client(timeout=30) as client:
        for item in range(1, ITEMS + 1):
            body = skip_clicked(person, item, response_url)
            try:
                answer = client.post(address, content=body, headers=signature(body, int(time.time())))
            except httpx.TransportError:
                break
            assert answer.status_code == 200
            answered.append((item, person))
    return answered


@pytest.mark.slow
def test_clicks_that_were_answered_are_stored_or_refused_in_words(
    database: Database, tmp_path: Path, unused_port: int
) -> None:
    desk = opened(database, support_policy(), utc_now())
    for _number in range(ITEMS):
        desk.ticket(now=utc_now())
    stored_in = database.engine.url.render_as_string(hide_password=False)
    more = {"PORT": str(unused_port), "SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": SECRET}
    with serve(workspace(), port=0) as url, slack() as heard, ThreadPoolExecutor(3) as pool:
        web = Bot("web", url, stored_in, tmp_path, **more)
        web.start()
        assert web.process is not None
        assert web.process.pid is not None
        address = f"http://127.0.0.1:{unused_port}"
        until_it_listens(address)
        events = f"{address}/slack/events"
        answered = [pool.submit(skipping, events, person, heard.address) for person in (ANA, BEN, EVA)]
        until_votes_are_stored(database, 10)
        os.kill(web.process.pid, signal.SIGTERM)
        web.process.join(PATIENCE)
        assert web.process.exitcode == 0
        clicks = {click for one in answered for click in one.result(PATIENCE)}
    with database.reading() as session:
        stored = {(row.item_id, row.person) for row in session.scalars(select(Answer))}
    refused = sum("Nothing was recorded" in body["text"] for body in heard.bodies)
    assert 0 < len(clicks) < 3 * ITEMS, "it ended among them"
    assert len(clicks - stored) == refused
    assert len(heard.bodies) >= len(clicks), "what was to be said about the last ones was said"


@contextmanager
def locked_for(seconds: float, loop: Loop) -> Iterator[None]:
    """Another transaction holds every item; on SQLite, all that is written."""
    held = threading.Event()

    def hold() -> None:
        with loop.database.transaction(wait=PATIENT) as session:
            session.execute(select(ReviewItem.id).with_for_update()).all()
            held.set()
            time.sleep(seconds)

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        assert held.wait(PATIENCE)
        yield
        holding.result(PATIENCE)


@pytest.mark.slow
def test_over_the_socket_what_waits_is_acknowledged_before_it_closes(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop.predict("T-1", "the sofa came late", UNSURE)
    loop.card("the sofa came late")
    [item] = stored_items(loop.database)
    answered: list[tuple[str, bool]] = []
    arrived = threading.Barrier(3)
    with (
        slack() as heard, closing(build_app(loop.services)) as app, ThreadPoolExecutor(2) as pool,
        locked_for(0.6, loop),
    ):  # fmt: skip
        with socket_mode(app, workspace().apps[0].app_token) as handler, ExitStack() as ending:
            ending.callback(app.stop_votes)
            receive: Any
            [receive] = handler.client.socket_mode_request_listeners

            def sent(response: SocketModeResponse) -> None:
                answered.append((response.envelope_id, handler.client.closed))

            def arrives(envelope: SocketModeRequest) -> None:
                arrived.wait(PATIENCE)
                receive(handler.client, envelope)

            monkeypatch.setattr(handler.client, "send_socket_mode_response", sent)
            for person in (ANA, BEN):
                envelope = SocketModeRequest("interactive", person, skip(person, item, heard.address))
                pool.submit(arrives, envelope)
            arrived.wait(PATIENCE)
            time.sleep(0.2)  # until both wait
        assert sorted(answered) == [(ANA, False), (BEN, False)]
        late = SocketModeRequest("interactive", EVA, skip(EVA, item))
        receive(handler.client, late)
    with loop.database.reading() as session:
        stored = session.scalars(select(Answer.person)).all()
    refused = sum("Nothing was recorded" in body["text"] for body in heard.bodies)
    assert set(stored) <= {ANA, BEN}, "none after the end"
    assert len(stored) + refused == 2, "a slow machine takes so long that the time of a click ends"


def stored_items(database: Database) -> list[int]:
    with database.reading() as session:
        return list(session.scalars(select(ReviewItem.id)))


def until_votes_are_stored(database: Database, count: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with database.reading() as session:
            if len(session.scalars(select(Answer.id)).all()) >= count:
                return
        time.sleep(0.01)
    raise AssertionError("too few votes are stored")


def until_it_listens(address: str) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            httpx.get(f"{address}/health", timeout=5)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("it does not listen")
