"""Connections that send nothing are closed, so that they do not lock other clients out."""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from email.utils import parsedate_to_datetime

import httpx
import pytest
from fastapi import FastAPI, Request

from bot.server import slow_clients
from bot.server.listener import listening

HALF = {
    "silent": b"",
    "half a header": b"POST /body HTTP/1.1\r\nHost: x\r\n",
    "half a body": b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",
    "a second request that never comes whole": b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\nGET /quick HT",
    "more after the answer": b"POST /quick HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
}


@pytest.fixture
def port(unused_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    for name, value in (("SILENT_SECONDS", 1.0), ("LONG_BODY_SECONDS", 1.0), ("MOST_SILENT", 20)):
        monkeypatch.setattr(slow_clients, name, value)
    app = FastAPI()

    @app.api_route("/quick", methods=["GET", "POST"])
    async def quick() -> str:
        return "here"

    @app.post("/body")
    async def body(request: Request) -> int:
        return len(await request.body())

    @app.get("/slow")
    def slow() -> str:
        time.sleep(3)
        return "at last"

    with listening(app, "127.0.0.1", unused_port):
        yield unused_port


@pytest.mark.slow
@pytest.mark.parametrize("sent", HALF.values(), ids=HALF)
def test_who_says_nothing_whole_is_cut_off(port: int, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as stranger:
        stranger.sendall(sent)
        with suppress(ConnectionResetError):
            while stranger.recv(1000):
                pass  # fails after ten seconds of nothing


@pytest.mark.slow
def test_who_waits_for_an_answer_is_not(port: int) -> None:
    assert httpx.get(f"http://127.0.0.1:{port}/slow", timeout=10).json() == "at last"


@pytest.mark.slow
def test_a_kept_connection_is_kept_for_the_next_request(port: int) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        client.get("/quick")
        time.sleep(2)
        assert client.get("/quick").json() == "here"


@pytest.mark.slow
def test_answers_bear_the_present_date(port: int) -> None:
    time.sleep(4)
    said = parsedate_to_datetime(httpx.get(f"http://127.0.0.1:{port}/quick", timeout=10).headers["date"])
    assert abs(time.time() - said.timestamp()) < 3


@pytest.mark.slow
def test_of_many_who_are_silent_those_who_came_first_go_and_others_are_answered(port: int) -> None:
    strangers = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(60)]
    try:
        time.sleep(0.7)
        gone = sum(_is_closed(stranger) for stranger in strangers)
        assert gone >= 40
        assert httpx.get(f"http://127.0.0.1:{port}/quick", timeout=10).json() == "here"
    finally:
        for stranger in strangers:
            stranger.close()


def _is_closed(stranger: socket.socket) -> bool:
    stranger.setblocking(False)
    try:
        return stranger.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
