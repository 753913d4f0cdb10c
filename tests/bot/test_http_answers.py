"""Answers over HTTP/1.1, read by llhttp and by h11: the same, in whatever parts they come."""

import pytest

from bot.slack.inbound.http_answers import Answer, H11Answer, QuickAnswer, UnreadableError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
WAIT = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\nRetry-After: 5\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n"
CLOSED = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
READERS = [pytest.param(QuickAnswer, id="llhttp"), pytest.param(lambda: H11Answer("POST"), id="h11")]
every_reader = pytest.mark.parametrize("make", READERS)
GOOD = [  # answer; status, the seconds that are asked for, whether the connection can be used again
    (OK, (200, None, True)),
    (WAIT, (429, "7", True)),
    (CONTINUE + OK, (200, None, True)),
    (CONTINUE + CONTINUE + WAIT, (429, "7", True)),
    (CHUNKED, (200, None, True)),
    (b"HTTP/1.1 204 No Content\r\n\r\n", (204, None, True)),
    (b"HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\nohno", (500, None, True)),
    (CLOSED, (200, None, False)),
]
BAD = [
    b"what is this?\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\nok",
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: " + 200_000 * b"x",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + 2_000_000 * b"x",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + 2001 * (b"3e8\r\n" + 1000 * b"x" + b"\r\n"),
]
CUT = [b"HTTP/1.1 200 OK\r\n", OK[:-1], CHUNKED[:-4], CONTINUE, b""]


def read(answer: Answer, *parts: bytes) -> tuple[int, str | None, bool]:
    """Whole with the last part, and not before. Raises UnreadableError."""
    assert [answer.feed(part) for part in parts] == [False] * (len(parts) - 1) + [True]
    return answer.status, answer.retry_after, answer.goes_on


@every_reader
@pytest.mark.parametrize(("said", "found"), GOOD)
def test_what_is_said_is_read_in_one_part_and_byte_by_byte(
    make: type[Answer], said: bytes, found: tuple[int, str | None, bool]
) -> None:
    assert read(make(), said) == found
    assert read(make(), *(said[at : at + 1] for at in range(len(said)))) == found


@every_reader
@pytest.mark.parametrize("more", [OK, b"H", b"HTTP/1.1 408 Late\r\nRetry-After: 3\r\n\r\n", b"what is this?\r\n\r\n"])
def test_after_what_answers_nothing_the_connection_is_not_used_again(make: type[Answer], more: bytes) -> None:
    assert read(make(), OK + more) == (200, None, False)


@every_reader
def test_an_answer_without_a_length_is_whole_when_the_other_side_ends(make: type[Answer]) -> None:
    assert read(make(), b"HTTP/1.0 200 OK\r\n\r\nok", b"more", b"") == (200, None, False)


@every_reader
@pytest.mark.parametrize("said", BAD)
def test_what_is_no_answer_is_an_error(make: type[Answer], said: bytes) -> None:
    with pytest.raises(UnreadableError):
        read(make(), *(said[at : at + 50_000] for at in range(0, len(said), 50_000)), b"")


@every_reader
@pytest.mark.parametrize("said", CUT)
def test_an_answer_that_is_cut_off_is_an_error(make: type[Answer], said: bytes) -> None:
    answer = make()
    assert not said or not answer.feed(said)
    with pytest.raises(UnreadableError):
        answer.feed(b"")
