"""A client for POST requests over kept HTTP/1.1 connections. It goes through the proxy that the environment names, as
Slack's own client does.

A receipt follows every click. With h11 a receipt takes twice the processor time. With httpcore it takes six times as
much, half of it in anyio; while sixteen connections of its pool are in use, six times as much again.
"""

import asyncio
import re
from base64 import b64encode
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast
from urllib.parse import SplitResult, urlsplit

from slack_sdk.proxy_env_variable_loader import load_http_proxy_from_env

from bot.runtime.retry_after import seconds_asked
from bot.runtime.services import SLACK_TIMEOUT, tls
from bot.slack.inbound.http_answers import Answer, H11Answer, UnreadableError, answer_to_post

AT_ONCE = 32  # requests under way; as many connections are kept
PORTS = {"http": 80, "https": 443}
WRITABLE = re.compile(r"[!-~]+")  # the characters of an address; others could end a line or a word

if TYPE_CHECKING:
    from httpx import Proxy

Headers = Sequence[tuple[str, str]]


class Connections:
    """The connections, kept by origin. To be used on one event loop."""

    def __init__(self) -> None:
        named = load_http_proxy_from_env()
        self._proxy = _proxy(named) if named else None
        self._places = asyncio.Semaphore(AT_ONCE)
        self._kept: dict[str, list[_Connection]] = defaultdict(list)

    async def post(self, address: str, body: bytes) -> tuple[int, int | None]:
        """Send a request. Returns its status, and the seconds for which Slack asks to wait. Raises OSError, also for
        errors of TLS, time-outs and unreadable answers; the other side may have received the request then. Takes at
        most `SLACK_TIMEOUT` once it is its turn."""
        url, answer = urlsplit(address), answer_to_post()
        request = _written("POST", *self._head(url, body), body)
        async with self._places, asyncio.timeout(SLACK_TIMEOUT):
            connection = self._free(url) or await self._opened(url)
            try:
                await connection.request(request, answer)
            except BaseException:
                connection.close()
                raise
        self._kept[_origin(url)].append(connection)
        return answer.status, seconds_asked(answer.retry_after)

    async def close(self) -> None:
        for connections in self._kept.values():
            while connections:
                connections.pop().close()
        await asyncio.sleep(0)  # a connection is closed in the loop's next round

    def _free(self, url: SplitResult) -> "_Connection | None":
        """The free connection that was used last, of those that the other side has not closed."""
        kept = self._kept[_origin(url)]
        while kept:
            if not (connection := kept.pop()).is_closing:
                return connection
        return None

    async def _opened(self, url: SplitResult) -> "_Connection":
        if self._proxy is None:
            return await _connected(url.scheme, url.hostname, url.port)
        connection = await _connected(self._proxy.url.scheme, self._proxy.url.host, self._proxy.url.port)
        if url.scheme == "https":
            await connection.lead_to(url.hostname or "", url.port or PORTS["https"], _auth(self._proxy))
        return connection

    def _head(self, url: SplitResult, body: bytes) -> tuple[str, Headers]:
        """The target of a request, and its headers. A proxy is told the whole address where it can read it."""
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        headers = [
            ("Host", _host(url)),
            ("Content-Type", "application/json; charset=utf-8"),
            ("Content-Length", str(len(body))),
        ]
        if self._proxy is None or url.scheme == "https":
            return target, headers
        return _origin(url) + target, [*headers, *_auth(self._proxy)]


class _Connection(asyncio.Protocol):
    """A connection to one origin. It has one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: Answer | None = None  # to the request under way
        self._waiting: asyncio.Future[None] | None = None  # for the end of that

    @property
    def is_closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    async def request(self, request: bytes, answer: Answer) -> None:
        """Send a request and wait until the answer is complete. Raises OSError."""
        assert self._transport is not None
        self._answer, self._waiting = answer, asyncio.get_running_loop().create_future()
        self._transport.write(request)
        await self._waiting

    async def lead_to(self, host: str, port: int, headers: Headers) -> None:
        """Through the proxy at the other end; by TLS from then on. Raises OSError where the proxy refuses."""
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        answer = H11Answer("CONNECT")
        try:
            await self.request(_written("CONNECT", place, [("Host", place), *headers]), answer)
            if not 200 <= answer.status < 300:
                raise ConnectionRefusedError(f"the proxy answers with {answer.status}")
            assert self._transport is not None
            loop = asyncio.get_running_loop()
            self._transport = await loop.start_tls(self._transport, self, tls(), server_hostname=host)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Closes without TLS's closing message, which would wait for the other side."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in deed, not by class

    def data_received(self, data: bytes) -> None:
        """Data that arrives without a request, such as the end of the connection, is no answer to a later request."""
        if self._answer is None:
            self.close()
        else:
            self._read(self._answer, data)

    def eof_received(self) -> None:
        """May be the end of an answer. The transport closes itself then."""
        if self._answer is not None:
            self._read(self._answer, b"")

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(error or ConnectionResetError("the other side has closed the connection"))

    def _read(self, answer: Answer, data: bytes) -> None:
        try:
            is_whole = answer.feed(data)
        except UnreadableError as error:
            self._fail(error)
        else:
            if is_whole:
                self._end(answer)

    def _end(self, answer: Answer) -> None:
        if not answer.goes_on:
            self.close()
        self._answer = None
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _fail(self, error: Exception) -> None:
        self.close()
        self._answer = None
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)


async def _connected(scheme: str, host: str | None, port: int | None) -> _Connection:
    """Raises OSError."""
    if scheme not in PORTS or not host:
        raise OSError(f"{scheme}: is no address for a request")
    to = (host, port or PORTS[scheme])
    context = tls() if scheme == "https" else None
    _transport, connection = await asyncio.get_running_loop().create_connection(_Connection, *to, ssl=context)
    return connection


def _written(method: str, target: str, headers: Headers, body: bytes = b"") -> bytes:
    """The bytes of a request. Raises OSError if the address contains what cannot be sent in a request."""
    if not all(WRITABLE.fullmatch(said) for said in (target, headers[0][1])):
        raise OSError("an address with a character that none can have")
    lines = (f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "\r\n")
    return "\r\n".join(lines).encode() + body


def _host(url: SplitResult) -> str:
    """The host as in the address, without a name and password."""
    return url.netloc.rpartition("@")[2]


def _origin(url: SplitResult) -> str:
    return f"{url.scheme}://{_host(url)}"


def _proxy(address: str) -> "Proxy":
    from httpx import Proxy  # here, as it loads Rich: 5 MB, which a process without a proxy does not need

    return Proxy(address)


def _auth(proxy: "Proxy") -> Headers:
    if proxy.raw_auth is None:
        return []
    return [("Proxy-Authorization", f"Basic {b64encode(b':'.join(proxy.raw_auth)).decode()}")]
