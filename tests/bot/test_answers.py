"""Receipts over kept connections: shown once, tried again only where they cannot have been shown; by TLS, through a
proxy, on the loop of a web server and on one of their own."""

import asyncio
import json
import logging
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bot.runtime.services import tls
from bot.slack.blocks import Message
from bot.slack.inbound import response_url
from bot.slack.inbound.response_url import ResponseUrls

WORDS = Message("Your vote: refund.")
DROP, HANG_UP, SILENT = 0, -1, -2  # no answer; an answer, and later the end of the connection; nothing at all


class Heard:
    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.connections = 0
        self.address = ""
        self.closed = threading.Event()
        self.over = threading.Event()


@contextmanager
def slack(*statuses: int, certificate: Path | None = None, retry_after: str = "0") -> Iterator[Heard]:
    """Answers with these, one after the other, then with 200. certificate: by TLS."""
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
            heard.paths.append(self.path)
            heard.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            status = left.pop(0) if left else 200
            self.close_connection = status <= 0
            if status == SILENT:
                heard.over.wait(20)
            if status in (DROP, SILENT):
                return
            self.send_response(max(status, 200))
            self.send_header("Content-Length", "0")
            if status == 429:
                self.send_header("Retry-After", retry_after)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads, request_queue_size = True, 64

    with Server(("127.0.0.1", 0), Handler) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        scheme = "https" if certificate else "http"
        heard.address = f"{scheme}://127.0.0.1:{server.server_port}/actions/T/1/abc"
        try:
            yield heard
        finally:
            heard.over.set()
            server.shutdown()


@pytest.fixture
def urls() -> Iterator[ResponseUrls]:
    made = ResponseUrls()
    yield made
    made.close()


def wait_for(heard: Heard, count: int) -> None:
    end = time.monotonic() + 10
    while len(heard.bodies) < count and time.monotonic() < end:
        time.sleep(0.005)
    assert len(heard.bodies) == count


def tell(heard: Heard, times: int = 1) -> None:
    """And wait until it is said, or given up."""
    urls = ResponseUrls()
    for _ in range(times):
        urls.tell(heard.address, WORDS)
    urls.close()


def test_receipts_share_a_connection_and_carry_what_slack_wants(urls: ResponseUrls) -> None:
    with slack() as heard:
        for number in range(5):
            urls.tell(heard.address, WORDS)
            wait_for(heard, number + 1)
            time.sleep(0.02)  # the answer is on its way
        assert heard.connections == 1
        assert heard.bodies == 5 * [
            {"text": "Your vote: refund.", "response_type": "ephemeral", "replace_original": False}
        ]


def test_a_list_is_replaced_by_the_one_that_is_true_now() -> None:
    with slack() as heard:
        urls = ResponseUrls()
        urls.tell(heard.address, WORDS, in_place=True)
        urls.close()
        assert [body["replace_original"] for body in heard.bodies] == [True]


def test_a_connection_that_slack_has_closed_meanwhile_costs_no_receipt(urls: ResponseUrls) -> None:
    with slack(HANG_UP, HANG_UP, HANG_UP) as heard:
        for number in range(3):
            urls.tell(heard.address, WORDS)
            wait_for(heard, number + 1)
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
        tell(heard)
        assert len(heard.bodies) == sent
    assert [record.message for record in caplog.records if record.name.startswith("bot")] == ([said] if said else [])


def test_a_pause_that_slack_asks_for_is_kept_and_holds_up_no_other(urls: ResponseUrls) -> None:
    with slack(429, retry_after="1") as heard:
        urls.tell(heard.address, WORDS)
        wait_for(heard, 1)
        began = time.monotonic()
        urls.tell(heard.address, WORDS)
        wait_for(heard, 2)
        assert time.monotonic() - began < 0.9
        wait_for(heard, 3)
        assert time.monotonic() - began > 0.9


def test_a_slack_that_does_not_answer_is_not_waited_for_for_long_and_not_told_twice(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), 0.2)}
    monkeypatch.setattr(response_url, "TIMEOUT", quick)
    with slack(SILENT) as heard, caplog.at_level(logging.INFO):
        tell(heard)
        assert len(heard.bodies) == 1
    assert [(record.message, record.__dict__.get("reason")) for record in caplog.records][-1] == (
        "Receipt delivery uncertain",
        "ReadTimeout",
    )


def test_an_address_that_does_not_answer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with slack() as heard:
        pass
    with caplog.at_level(logging.INFO):
        tell(heard)
    assert "Receipt delivery uncertain" in [record.message for record in caplog.records]


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Of 127.0.0.1, which this process trusts."""
    path = tmp_path / "server.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=here", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "-", "-out", "-"],
        capture_output=True, check=True,
    )  # fmt: skip
    path.write_bytes(made.stdout)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    tls.cache_clear()
    yield path
    tls.cache_clear()


def test_receipts_go_by_tls_over_one_connection(certificate: Path) -> None:
    urls = ResponseUrls()
    with slack(certificate=certificate) as heard:
        for number in range(3):
            urls.tell(heard.address, WORDS)
            wait_for(heard, number + 1)
            time.sleep(0.02)
        urls.close()
        assert heard.connections == 1


def test_a_certificate_of_another_is_not_trusted(
    certificate: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    tls.cache_clear()
    with slack(certificate=certificate) as heard, caplog.at_level(logging.INFO):
        tell(heard)
        assert heard.bodies == []
    assert "Receipt delivery uncertain" in [record.message for record in caplog.records]


def test_receipts_go_through_the_proxy_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    with slack() as proxy, slack() as heard:
        monkeypatch.setenv("HTTP_PROXY", proxy.address.removesuffix("/actions/T/1/abc"))
        tell(heard)
        assert (proxy.paths, heard.paths) == ([heard.address], [])


def test_a_web_servers_own_loop_says_them_and_finishes_before_it_ends(urls: ResponseUrls) -> None:
    threads: list[str] = []

    async def serve(heard: Heard) -> None:
        async with urls.serving():
            for _ in range(40):
                urls.tell(heard.address, WORDS)
            threads.extend(thread.name for thread in threading.enumerate())

    with slack() as heard:
        asyncio.run(serve(heard))
        assert len(heard.bodies) == 40
        assert heard.connections <= response_url.AT_ONCE
        assert "receipts" not in threads
        urls.tell(heard.address, WORDS)
        urls.close()
        assert len(heard.bodies) == 41, "on a loop of its own"


def test_after_the_end_nothing_is_said_and_nothing_raised(caplog: pytest.LogCaptureFixture) -> None:
    urls = ResponseUrls()
    urls.close()
    with slack() as heard, caplog.at_level(logging.INFO):
        urls.tell(heard.address, WORDS)
        assert heard.bodies == []
    assert [record.message for record in caplog.records] == ["Receipt dropped at shutdown"]
