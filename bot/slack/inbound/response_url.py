"""Answers to a click's `response_url`: receipts and refusals are said there, on an event loop.

Connections are kept: each receipt would otherwise begin with the handshakes of a new one, which take five times as long
as the receipt itself. They are handed out here and not by httpcore's pool, which asks the system about every one of
them for each request: with sixteen in use that takes six times as long as the request.
"""

import asyncio
import json
import logging
import threading
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import httpcore
from httpx import Proxy
from slack_sdk.proxy_env_variable_loader import load_http_proxy_from_env

from bot.runtime.retry_after import seconds_asked
from bot.runtime.services import SLACK_TIMEOUT, tls
from bot.slack.blocks import Message

AT_ONCE = 32  # requests under way; as many connections are kept
LONGEST_PAUSE = 60  # seconds that Slack may ask to wait
STOP_SECONDS = 5.0  # for what is under way when the process ends
TIMEOUT = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), SLACK_TIMEOUT)}
FAILED = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError, httpcore.TimeoutException, OSError)

log = logging.getLogger(__name__)


class Tell(Protocol):
    """`ResponseUrls.tell`."""

    def __call__(self, response_url: str, message: Message, in_place: bool = False) -> None: ...


class ResponseUrls:
    """Says things on the loop of the web server while there is one (`serving`), else on one in a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        self._under_way: set[asyncio.Task[None]] = set()
        self._connections = _Connections()

    def tell(self, response_url: str, message: Message, in_place: bool = False) -> None:
        """Say this to the person alone, from any thread, without waiting for it. in_place: instead of the message in
        which they clicked, which only they see. Never raises. Does nothing where the request has no response_url, as a
        form does not."""
        if not response_url:
            return
        words = {"text": message.text, "blocks": message.blocks or None, "replace_original": in_place}
        try:
            loop = self._running_loop()
            if loop is _current_loop():
                self._begin(response_url, words)
            else:
                loop.call_soon_threadsafe(self._begin, response_url, words)
        except RuntimeError:  # closed
            log.info("Receipt dropped at shutdown")

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Use the loop that runs this, until the block is left; what is under way is said first."""
        with self._lock:
            self._loop = asyncio.get_running_loop()
        try:
            yield
        finally:
            with self._lock:
                self._loop = None
            await self._finish()
            self._connections = _Connections()

    def close(self) -> None:
        """Finish what is under way, for at most `STOP_SECONDS`; nothing is said afterwards."""
        with self._lock:
            self._closed, thread, loop = True, self._thread, self._loop
            self._thread = None
        if thread is not None and loop is not None:
            asyncio.run_coroutine_threadsafe(self._finish(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        """Raises RuntimeError after the end."""
        with self._lock:
            if self._closed:
                raise RuntimeError("closed")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="receipts", daemon=True)
                self._thread.start()
            return self._loop

    def _begin(self, response_url: str, words: dict[str, Any]) -> None:
        task = asyncio.get_running_loop().create_task(answer(self._connections, response_url, words))
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (bug := task.exception()) is not None:
            log.error("Receipt failed", exc_info=bug, extra={"reference": uuid.uuid4().hex[:8]})

    async def _finish(self) -> None:
        if self._under_way:
            _done, late = await asyncio.wait(self._under_way, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
        await self._connections.close()


async def answer(connections: "_Connections", response_url: str, words: dict[str, Any]) -> None:
    """Once more only if Slack asks for it. Not said twice where the network fails and Slack may have shown it: a
    receipt that appears twice looks like two votes. The Home tab has it in any case."""
    said = {name: value for name, value in words.items() if value is not None}
    body = json.dumps(said | {"response_type": "ephemeral"}).encode()
    try:
        status, pause = await connections.post(response_url, body)
        if status == 429 and pause is not None:
            await asyncio.sleep(min(pause, LONGEST_PAUSE))
            status, _pause = await connections.post(response_url, body)
    except FAILED as error:
        log.info("Receipt delivery uncertain", extra={"reason": type(error).__name__})
        return
    if status != 200:
        log.info("Receipt not delivered", extra={"status": status})


class _Connections:
    """Kept connections, by their origin; through the proxy that the environment names, as Slack's own client does
    it. To be used on one loop."""

    def __init__(self) -> None:
        self._maker = _maker()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._kept: dict[str, list[httpcore.AsyncConnectionInterface]] = defaultdict(list)

    async def post(self, address: str, body: bytes) -> tuple[int, int | None]:
        """Its status, and the seconds for which Slack asks to wait."""
        url = httpcore.URL(address)
        async with self._places:
            connection = await self._taken(url.origin)
            try:
                response = await connection.handle_async_request(_request(url, body))
                await response.aread()
                await response.aclose()
            except BaseException:
                await connection.aclose()
                raise
            self._kept[str(url.origin)].append(connection)
        headers = {name.lower(): value.decode("latin-1") for name, value in response.headers}
        return response.status, seconds_asked(headers.get(b"retry-after"))

    async def close(self) -> None:
        for connections in self._kept.values():
            while connections:
                await connections.pop().aclose()

    async def _taken(self, origin: httpcore.Origin) -> httpcore.AsyncConnectionInterface:
        """The one that was used last, unless the other side has closed it."""
        kept = self._kept[str(origin)]
        while kept:
            connection = kept.pop()
            if connection.is_available() and not connection.has_expired():
                return connection
            await connection.aclose()
        return self._maker.create_connection(origin)


def _request(url: httpcore.URL, body: bytes) -> httpcore.Request:
    headers = [
        (b"Host", url.host if url.port is None else b"%b:%d" % (url.host, url.port)),
        (b"Content-Type", b"application/json; charset=utf-8"),
        (b"Content-Length", b"%d" % len(body)),
    ]
    return httpcore.Request("POST", url, headers=headers, content=body, extensions=TIMEOUT)


def _maker() -> httpcore.AsyncConnectionPool:
    """What makes connections; as a pool it is not used."""
    named = load_http_proxy_from_env()
    if not named:
        return httpcore.AsyncConnectionPool(ssl_context=tls())
    proxy = Proxy(named)
    address = httpcore.URL(
        scheme=proxy.url.raw_scheme, host=proxy.url.raw_host, port=proxy.url.port, target=proxy.url.raw_path
    )
    return httpcore.AsyncHTTPProxy(address, proxy_auth=proxy.raw_auth, ssl_context=tls(), proxy_ssl_context=None)


def _current_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
