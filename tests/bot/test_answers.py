"""Receipts over kept connections: shown once, tried again only where they cannot have been shown."""

import json
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bot.slack.inbound.response_url import answer

WORDS = {"text": "Your vote: refund.", "blocks": None}
DROP, HANG_UP = 0, -1  # no answer; an answer, and later the end of the connection


class Heard:
    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.connections = 0
        self.address = ""
        self.closed = threading.Event()


@contextmanager
def slack(*statuses: int) -> Iterator[Heard]:
    """Answers with these, one after the other, then with 200."""
    heard, left = Heard(), list(statuses)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            heard.connections += 1

        def finish(self) -> None:
            super().finish()
            self.server.shutdown_request(self.request)
            heard.closed.set()

        def do_POST(self) -> None:
            heard.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            status = left.pop(0) if left else 200
            self.close_connection = status <= 0
            if status == DROP:
                return
            self.send_response(max(status, 200))
            self.send_header("Content-Length", "0")
            if status == 429:
                self.send_header("Retry-After", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        heard.address = f"http://127.0.0.1:{server.server_port}/actions/T/1/abc"
        try:
            yield heard
        finally:
            server.shutdown()


def test_receipts_share_a_connection_and_carry_what_slack_wants() -> None:
    with slack() as heard:
        for _ in range(5):
            answer(heard.address, WORDS)
        assert heard.connections == 1
        assert heard.bodies == 5 * [
            {"text": "Your vote: refund.", "response_type": "ephemeral", "replace_original": False}
        ]


def test_a_list_is_replaced_by_the_one_that_is_true_now() -> None:
    with slack() as heard:
        answer(heard.address, WORDS, replace=True)
        assert [body["replace_original"] for body in heard.bodies] == [True]


def test_a_connection_that_slack_has_closed_meanwhile_costs_no_receipt() -> None:
    with slack(HANG_UP, HANG_UP, HANG_UP) as heard:
        for _ in range(3):
            answer(heard.address, WORDS)
            heard.closed.wait(10)
            heard.closed.clear()
        assert len(heard.bodies) == heard.connections == 3


@pytest.mark.parametrize(
    ("statuses", "sent", "said"),
    [
        ((429,), 2, ""),
        ((429, 429), 2, "Receipt not delivered"),
        ((500,), 1, "Receipt not delivered"),
        ((404,), 1, "Receipt not delivered"),
        ((DROP,), 1, "Receipt delivery uncertain"),
    ],
)
def test_a_receipt_is_said_again_only_if_slack_asks_for_it(
    statuses: Sequence[int], sent: int, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with slack(*statuses) as heard, caplog.at_level(logging.INFO):
        answer(heard.address, WORDS)
        assert len(heard.bodies) == sent
    assert [record.message for record in caplog.records] == ([said] if said else [])


def test_an_address_that_does_not_answer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with slack() as heard:
        pass
    with caplog.at_level(logging.INFO):
        answer(heard.address, WORDS)
    assert [record.message for record in caplog.records] == ["Receipt delivery uncertain"]
