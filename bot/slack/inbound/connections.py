"""POST requests over kept HTTP/1.1 connections, parsed by h11; through the proxy that the environment names, as Slack's
own client does it.

A receipt follows every click. httpcore takes three times the processor time for a request, half of it in anyio, and in
its pool six times as much again where sixteen connections are in use.
"""

import asyncio
from base64 import b64encode
from collections import defaultdict
from collections.abc import Sequence
from typing import cast
from urllib.parse import SplitResult, urlsplit

import h11
from httpx import Proxy
from slack_sdk.proxy_env_variable_loader import load_http_proxy_from_env

from bot.runtime.retry_after import seconds_asked
from bot.runtime.services import SLACK_TIMEOUT, tls

AT_ONCE = 32  # requests under way; as many connections are kept
MOST_BYTES = 1_000_000  # of an answer's body; Slack's has two
PORTS = {"http": 80, "https": 443}
FAILED = (OSError, h11.ProtocolError)  # time-outs and errors of TLS are OSErrors

Headers = Sequence[tuple[str, str]]


class Connections:
    """Kept by origin. To be used on one loop."""

    def __init__(self) -> None:
        named = load_http_proxy_from_env()
        self._proxy = Proxy(named) if named else None
        self._places = asyncio.Semaphore(AT_ONCE)
        self._kept: dict[str, list[_Connection]] = defaultdict(list)

    async def post(self, address: str, body: bytes) -> tuple[int, int | None]:
        """Its status, and the seconds for which Slack asks to wait. Raises one of `FAILED`; the other side may have got
        it then. Takes at most `SLACK_TIMEOUT` once it is its turn."""
        url = urlsplit(address)
        async with self._places, asyncio.timeout(SLACK_TIMEOUT):
            connection = self._free(url) or await self._opened(url)
            try:
                answer = await connection.request("POST", *self._head(url, body), body)
            except BaseException:
                connection.close()
                raise
        self._kept[_origin(url)].append(connection)
        asked = [value.decode("latin-1") for name, value in answer.headers if name == b"retry-after"]
        return answer.status_code, seconds_asked(asked[0] if asked else None)

    async def close(self) -> None:
        for connections in self._kept.values():
            while connections:
                connections.pop().close()
        await asyncio.sleep(0)  # a connection is closed in the loop's next round

    def _free(self, url: SplitResult) -> "_Connection | None":
        """The one that was used last, of those that the other side has not closed."""
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
    """One request at a time."""

    def __init__(self) -> None:
        self._http = h11.Connection(h11.CLIENT)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[h11.Response] | None = None  # of the request under way
        self._head: h11.Response | None = None
        self._length = 0

    @property
    def is_closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    async def request(self, method: str, target: str, headers: Headers, body: bytes = b"") -> h11.Response:
        """The answer, once its body has come, which is not kept."""
        assert self._transport is not None
        answer: asyncio.Future[h11.Response] = asyncio.get_running_loop().create_future()
        self._answer, self._head, self._length = answer, None, 0
        events = (h11.Request(method=method, target=target, headers=list(headers)), h11.Data(body), h11.EndOfMessage())
        self._transport.write(b"".join(self._http.send(event) or b"" for event in events))
        return await answer

    async def lead_to(self, host: str, port: int, headers: Headers) -> None:
        """Through the proxy at the other end; by TLS from then on. Raises OSError where the proxy refuses."""
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            answer = await self.request("CONNECT", place, [("Host", place), *headers])
            if self._http.their_state is not h11.SWITCHED_PROTOCOL:
                raise ConnectionRefusedError(f"the proxy answers with {answer.status_code}")
            assert self._transport is not None
            loop = asyncio.get_running_loop()
            self._transport = await loop.start_tls(self._transport, self, tls(), server_hostname=host)
        except BaseException:
            self.close()
            raise
        self._http = h11.Connection(h11.CLIENT)

    def close(self) -> None:
        """Closes without TLS's closing message, which would wait for the other side."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in deed, not by class

    def data_received(self, data: bytes) -> None:
        """What comes without a question, as that the other side ends the connection, answers no later one."""
        if self._answer is None:
            self.close()
        else:
            self._read(data)

    def eof_received(self) -> None:
        """May be the end of an answer. The transport closes itself then."""
        if self._answer is not None:
            self._read(b"")

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(error or ConnectionResetError("the other side has closed the connection"))

    def _read(self, data: bytes) -> None:
        try:
            self._http.receive_data(data)
            while (event := self._http.next_event()) is not h11.NEED_DATA:
                if event is h11.PAUSED or isinstance(event, h11.EndOfMessage):  # a proxy's consent has no end
                    self._end()
                    return
                if isinstance(event, h11.Response):
                    self._head = event
                elif isinstance(event, h11.Data):
                    self._count(event)
        except h11.ProtocolError as error:
            self._fail(error)

    def _count(self, part: h11.Data) -> None:
        self._length += len(part.data)
        if self._length > MOST_BYTES:
            raise h11.RemoteProtocolError("the answer is too long")

    def _end(self) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done() and self._head is not None:
            answer.set_result(self._head)
        states, more = {self._http.our_state, self._http.their_state}, self._http.trailing_data[0]
        if states == {h11.DONE} and not more:
            self._http.start_next_cycle()
        elif h11.SWITCHED_PROTOCOL not in states:  # else TLS begins
            self.close()

    def _fail(self, error: Exception) -> None:
        answer, self._answer = self._answer, None
        self.close()
        if answer is not None and not answer.done():
            answer.set_exception(error)


async def _connected(scheme: str, host: str | None, port: int | None) -> _Connection:
    """Raises OSError."""
    if scheme not in PORTS or not host:
        raise OSError(f"{scheme}: is no address for a request")
    to = (host, port or PORTS[scheme])
    context = tls() if scheme == "https" else None
    _transport, connection = await asyncio.get_running_loop().create_connection(_Connection, *to, ssl=context)
    return connection


def _host(url: SplitResult) -> str:
    """As in the address, without a name and password."""
    return url.netloc.rpartition("@")[2]


def _origin(url: SplitResult) -> str:
    return f"{url.scheme}://{_host(url)}"


def _auth(proxy: Proxy) -> Headers:
    if proxy.raw_auth is None:
        return []
    return [("Proxy-Authorization", f"Basic {b64encode(b':'.join(proxy.raw_auth)).decode()}")]
