"""Receipts over kept connections: shown once, tried again only where they cannot have been shown; by TLS, through a
proxy, on the loop of a web server and on one of their own."""

import asyncio
import json
import logging
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import uvloop

from bot.runtime.services import tls
from bot.slack.blocks import Message
from bot.slack.inbound import connections, http_answers
from bot.slack.inbound.response_url import ResponseUrls

WORDS = Message("Your vote: refund.")
ANA_AT_THE_PROXY = f"Basic {b64encode(b'ana:s@cret').decode()}"
Run = Callable[[Coroutine[Any, Any, None]], None]
LOOPS = [pytest.param(asyncio.run, id="asyncio"), pytest.param(uvloop.run, id="uvloop")]
DROP, HANG_UP, SILENT = 0, -1, -2  # no answer; an answer, and later the end of the connection; nothing at all


class Heard:
    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.authorizations: list[str | None] = []
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
            heard.authorizations.append(self.headers["proxy-authorization"])
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


@pytest.mark.slow
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
    monkeypatch.setattr(connections, "SLACK_TIMEOUT", 0.2)
    with slack(SILENT) as heard, caplog.at_level(logging.INFO):
        tell(heard)
        assert len(heard.bodies) == 1
    assert [(record.message, record.__dict__.get("reason")) for record in caplog.records][-1] == (
        "Receipt delivery uncertain",
        "TimeoutError",
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


def one_by_one(address: str, times: int, run: Run = asyncio.run) -> None:
    """Each once the one before is said, or given up."""

    async def serve() -> None:
        urls = ResponseUrls()
        async with urls.serving():
            for _ in range(times):
                urls.tell(address, WORDS)
                await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})

    run(serve())


@pytest.mark.parametrize("run", LOOPS)
def test_receipts_go_by_tls_over_one_connection(certificate: Path, run: Run) -> None:
    with slack(certificate=certificate) as heard:
        one_by_one(heard.address, 3, run)
        assert (len(heard.bodies), heard.connections) == (3, 1)


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
        monkeypatch.setenv("HTTP_PROXY", f"http://ana:s%40cret@{proxy.address.split('/')[2]}")
        tell(heard)
        assert (proxy.paths, heard.paths) == ([heard.address], [])
        assert proxy.authorizations == [ANA_AT_THE_PROXY]


@contextmanager
def proxy(certificate: Path | None = None, status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """Leads to what CONNECT names. Its address, and the heads of what it was asked."""
    heads: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            head = b""
            while line := self.rfile.readline().strip():
                head += line + b"\n"
            heads.append(head.decode())
            self.wfile.write(b"HTTP/1.1 %d Said\r\n\r\n" % status)
            if status == 200:
                host, port = head.split()[1].decode().rsplit(":", 1)
                with socket.create_connection((host, int(port))) as there:
                    back = threading.Thread(target=self.pass_on, args=(there.recv, self.wfile.write), daemon=True)
                    back.start()
                    self.pass_on(self.rfile.read1, there.sendall)
                    with suppress(OSError):
                        there.shutdown(socket.SHUT_RDWR)  # the other thread still reads

        def pass_on(self, read: Callable[[int], bytes], write: Callable[[bytes], object]) -> None:
            with suppress(OSError):
                while data := read(65536):
                    write(data)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}", heads
        finally:
            server.shutdown()


@pytest.mark.parametrize("run", LOOPS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_receipts_go_by_tls_through_a_proxy_which_is_asked_once_and_told_who_asks(
    scheme: str, run: Run, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with slack(certificate=certificate) as heard, proxy(certificate if scheme == "https" else None) as (place, heads):
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://ana:s%40cret@{place}")
        one_by_one(heard.address, 3, run)
        assert (len(heard.bodies), heard.connections) == (3, 1)
        [head] = heads
    where = heard.address.split("/")[2]
    authorization = f"Proxy-Authorization: {ANA_AT_THE_PROXY}"
    assert head.splitlines() == [f"CONNECT {where} HTTP/1.1", f"Host: {where}", authorization]


def test_a_proxy_that_refuses_is_not_told_the_receipt(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with slack(certificate=certificate) as heard, proxy(status=407) as (place, heads):
        monkeypatch.setenv("HTTPS_PROXY", f"http://{place}")
        with caplog.at_level(logging.INFO):
            one_by_one(heard.address, 1)
        assert (len(heads), heard.bodies) == (1, [])
    assert "Receipt delivery uncertain" in [record.message for record in caplog.records]


def test_behind_a_proxy_a_certificate_of_another_name_is_not_trusted(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with slack(certificate=certificate) as heard, proxy() as (place, heads):
        monkeypatch.setenv("HTTPS_PROXY", f"http://{place}")
        with caplog.at_level(logging.INFO):
            one_by_one(heard.address.replace("127.0.0.1", "localhost"), 1)
        assert (len(heads), heard.bodies) == (1, [])
    assert "Receipt delivery uncertain" in [record.message for record in caplog.records]


OK, MORE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"HTTP/1.1 408 Late\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "connections", "said"),
    [
        (OK, 1, ""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 1, ""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 1, ""),
        (b"HTTP/1.0 200 OK\r\n\r\nok", 2, ""),
        (OK + MORE, 2, ""),  # what answers nothing is taken for no answer to the next
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", 2, "Receipt delivery uncertain"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + 2_000_000 * b"x", 2, "Receipt delivery uncertain"),
        (b"HTTP/1.1 200 OK\r\nA: " + 200_000 * b"x", 2, "Receipt delivery uncertain"),
        (b"what is this?\r\n\r\n", 2, "Receipt delivery uncertain"),
    ],
)
@pytest.mark.parametrize("reads", ["llhttp", "h11"])
def test_answers_of_all_kinds(
    answer: bytes,
    connections: int,
    said: str,
    reads: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two receipts, each answered so; where the length is not said or not kept, the connection ends."""
    if reads == "h11":
        monkeypatch.setattr(http_answers, "httptools", None)  # as where it is missing
    opened: list[str] = []
    keeps = connections == 1 or answer.endswith(MORE)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            opened.append("")
            while (head := self._head()) and self.rfile.read(int(head[b"content-length"])):
                with suppress(OSError):
                    self.wfile.write(answer)
                if not keeps:
                    return

        def _head(self) -> dict[bytes, bytes]:
            with suppress(OSError):
                if self.rfile.readline():
                    lines = iter(self.rfile.readline, b"\r\n")
                    return dict(line.lower().strip().split(b": ") for line in lines)
            return {}

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server, caplog.at_level(logging.INFO):
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        try:
            one_by_one(f"http://127.0.0.1:{server.server_address[1]}/actions/T/1/abc", 2)
        finally:
            server.shutdown()
    assert len(opened) == connections
    assert [record.message for record in caplog.records if record.name.startswith("bot")] == (
        [said] * 2 if said else []
    )


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
        assert heard.connections <= connections.AT_ONCE
        assert "receipts" not in threads
        urls.tell(heard.address, WORDS)
        urls.close()
        assert len(heard.bodies) == 41, "on a loop of its own"


@pytest.mark.parametrize("place", ["/a b", "/a\u00e9", "/a\x7f"])
def test_an_address_that_no_request_can_name_is_not_asked(place: str, caplog: pytest.LogCaptureFixture) -> None:
    with slack() as heard, caplog.at_level(logging.INFO):
        one_by_one(heard.address + place, 1)
        assert heard.connections == 0
    assert "Receipt delivery uncertain" in [record.message for record in caplog.records]


def test_after_the_end_nothing_is_said_and_nothing_raised(caplog: pytest.LogCaptureFixture) -> None:
    urls = ResponseUrls()
    urls.close()
    with slack() as heard, caplog.at_level(logging.INFO):
        urls.tell(heard.address, WORDS)
        assert heard.bodies == []
    assert [record.message for record in caplog.records] == ["Receipt dropped at shutdown"]
