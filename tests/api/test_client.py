"""The client repeats what failed on the way, and only that. The server here fails on purpose, over real HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from goldloop_client import ApiError, Client, RejectedRow
from goldloop_client.retries import LONGEST_ASKED, LONGEST_PAUSE, pause_after, seconds_asked
from goldloop_client.shapes import MOST_ROWS
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


NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7), (" 7 ", 7), ("0", 0), ("999999999", LONGEST_ASKED), (None, None), ("", None), ("²", None),
        ("٣", None), ("-1", None), ("1.5", None), ("9" * 5000, None), ("Tue, 24 Nov 2026 08:01:00 GMT", 60),
        ("Tuesday, 24-Nov-26 08:01:00 GMT", 60), ("Tue, 24 Nov 2026 08:01:00 -0000", 60),
        ("Tue, 24 Nov 1998 08:00:00 GMT", 0), ("Tue, 24 Nov 2099 08:00:00 GMT", LONGEST_ASKED), ("Tue, 99 Nov", None),
        ("Tue, 24 Nov 0001 00:00:00 +2359", 0), ("Tue, 24 Nov 999999999999999999 08:00:00 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_is_a_number_of_seconds_or_a_date_or_nothing(header: str | None, seconds: float | None) -> None:
    assert seconds_asked(header, NOW) == seconds
    if seconds is not None:
        assert pause_after(1, header, NOW, chance=0.5) == seconds


def test_pauses_double_up_to_a_limit_and_chance_at_most_halves_them() -> None:
    assert [pause_after(attempt, None, NOW, chance=1.0) for attempt in (1, 2, 3)] == [0.5, 1, 2]
    assert pause_after(1, None, NOW, chance=0.0) == 0.25
    assert pause_after(50, None, NOW, chance=1.0) == LONGEST_PAUSE


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


def test_the_next_rows_are_fetched_while_the_server_stores_the_last(unused_port: int) -> None:
    """In the caller's thread, as they may come from where no other may read."""
    fetched, reader = threading.Event(), threading.current_thread()

    def rows() -> Iterator[dict[str, str]]:
        yield from [ROW] * MOST_ROWS
        assert threading.current_thread() is reader
        fetched.set()
        yield ROW

    def answer(_request: Request) -> Response:
        return STORED if fetched.wait(10) else Response("nothing was fetched meanwhile", 400)

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])
    with web_server(app, unused_port), Client(f"http://127.0.0.1:{unused_port}", "t") as client:
        assert client.send("support", rows()).new == 2


def test_rows_are_sent_whole_and_with_their_length_each_time(unused_port: int) -> None:
    seen: list[tuple[int, object]] = []

    async def answer(request: Request) -> Response:
        seen.append((int(request.headers["content-length"]), await request.json()))
        return STORED if len(seen) > 1 else busy(503)

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])
    with web_server(app, unused_port), Client(f"http://127.0.0.1:{unused_port}", "t", pause=lambda _s: None) as client:
        client.send("support", [ROW])
    assert seen == [(len('[{"external_id":"T-1"}]'), [ROW])] * 2


def test_rows_that_cannot_be_sent_are_not_waited_for(unused_port: int) -> None:
    with (
        Client(f"http://127.0.0.1:{unused_port}", "t", tries=1) as client,
        pytest.raises(httpx.ConnectError),
    ):
        client.send("support", [ROW] * (MOST_ROWS + 1))


def test_a_row_that_was_refused_is_known_by_its_place_among_all(unused_port: int) -> None:
    refused = Response(
        '{"new": 0, "repeated": 0, "flagged": 0, "rejected": [{"row": 3, "field": "text", "reason": "why"}]}'
    )
    with answering(unused_port, STORED, refused) as (client, _pauses, _asked):
        received = client.send("support", [ROW] * (MOST_ROWS + 4))
    assert received.rejected == (RejectedRow(MOST_ROWS + 3, "text", "why"),)


def test_what_cannot_be_fetched_is_the_callers_to_know_and_the_rest_is_sent(unused_port: int) -> None:
    def rows() -> Iterator[dict[str, str]]:
        yield from [ROW] * MOST_ROWS
        raise LookupError("the file is broken")

    with answering(unused_port, STORED) as (client, _pauses, asked), pytest.raises(LookupError, match="is broken"):
        client.send("support", rows())
    assert len(asked) == 1
