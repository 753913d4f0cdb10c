"""The client repeats what failed on the way, and only that. The server here fails on purpose, over real HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.client import ApiError, Client
from tests.web import web_server

STORED = Response('{"new": 1, "repeated": 0, "flagged": 0}')
ROW = {"external_id": "T-1"}


@contextmanager
def answering(port: int, *answers: Response) -> Iterator[tuple[Client, list[float], list[str]]]:
    """A server that gives these answers, one after the other; the pauses the client made, the paths it asked for."""
    left = list(answers)
    pauses: list[float] = []
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.url.path)
        return left.pop(0)

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
    with web_server(app, port), Client(f"http://127.0.0.1:{port}/", "t", tries=3, pause=pauses.append) as client:
        yield client, pauses, asked


def busy(status: int, **headers: str) -> Response:
    return Response("busy", status, {name.replace("_", "-"): value for name, value in headers.items()})


def test_a_server_that_is_busy_is_asked_again_when_it_says_so(unused_port: int) -> None:
    with answering(unused_port, busy(429, retry_after="7"), busy(503), STORED) as (client, pauses, asked):
        assert client.send("support", [ROW]).new == 1
    assert asked == ["/api/v1/queues/support/predictions"] * 3
    assert pauses[0] == 7
    assert 0.5 <= pauses[1] <= 1


def test_it_gives_up_after_its_tries_and_says_what_it_heard_last(unused_port: int) -> None:
    with (
        answering(unused_port, busy(502), busy(502), busy(503)) as (client, pauses, _asked),
        pytest.raises(ApiError, match="503 Service Unavailable: busy"),
    ):
        client.send("support", [ROW])
    assert len(pauses) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 500])
def test_a_no_is_not_asked_twice(unused_port: int, status: int) -> None:
    no = Response(f'{{"type": "x", "title": "No", "status": {status}, "detail": "why", "code": "c"}}', status)
    with (
        answering(unused_port, no) as (client, pauses, _asked),
        pytest.raises(ApiError, match=f"{status} No: why") as found,
    ):
        client.predict("support", "T-1", "text")
    assert (pauses, found.value.problem.code) == ([], "c")


def test_a_connection_that_cannot_be_made_is_tried_again(unused_port: int) -> None:
    pauses: list[float] = []
    with (
        Client(f"http://127.0.0.1:{unused_port}", "t", tries=3, pause=pauses.append) as client,
        pytest.raises(httpx.ConnectError),
    ):
        client.models("support")
    assert len(pauses) == 2
