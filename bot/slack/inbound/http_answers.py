"""Answers to requests over HTTP/1.1: status, Retry-After, and whether the connection can be used again.

They are read by llhttp from the package httptools, which uvicorn uses for requests: it takes a tenth of h11's processor
time. h11 is used where httptools is missing, and for a proxy's answer to CONNECT, after which TLS follows.
"""

from typing import Protocol

import h11

try:
    import httptools
except ImportError:  # not on every Python
    httptools = None  # type: ignore[assignment]

MOST_HEAD = 65_536  # bytes of status and headers; Slack's have a thousand
MOST_BODY = 1_000_000  # bytes; Slack's has two


class UnreadableError(ConnectionError):
    """The bytes that came are no answer, or only a part of one."""


class Answer(Protocol):
    """The answer to one request. Its body is not kept. retry_after: the first header of that name. goes_on: the
    connection can be used for another request."""

    status: int
    retry_after: str | None
    goes_on: bool

    def feed(self, data: bytes) -> bool:
        """Take what has come; nothing, where the other side has ended. Returns whether the answer is whole. Raises
        UnreadableError."""
        ...


def answer_to_post() -> Answer:
    return H11Answer("POST") if httptools is None else QuickAnswer()


class QuickAnswer:
    """An answer, read by llhttp."""

    def __init__(self) -> None:
        self.status, self.goes_on = 0, False
        self.retry_after: str | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._head, self._body = 0, 0  # bytes so far
        self._has_length = self._is_whole = False

    def feed(self, data: bytes) -> bool:
        if not data:
            return self._ended()
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self._is_whole:
                raise UnreadableError(str(error)) from error
            self.goes_on = False  # the data after the answer is not HTTP
        if not self.status:
            self._head += len(data)
        if self._head > MOST_HEAD or self._body > MOST_BODY:
            raise UnreadableError("the answer is too long")
        return self._is_whole

    def _ended(self) -> bool:
        if not self.status or self._has_length:
            raise UnreadableError("the answer is cut off")
        return True

    def on_message_begin(self) -> None:
        self.goes_on = False  # set again when the answer is complete, unless more follows

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_whole:
            return
        match name.lower():
            case b"retry-after" if self.retry_after is None:
                self.retry_after = value.decode("latin-1")
            case b"content-length" | b"transfer-encoding":
                self._has_length = True

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if not self._is_whole and status >= 200:
            self.status = status

    def on_body(self, data: bytes) -> None:
        self._body += len(data)

    def on_message_complete(self) -> None:
        """One below 200 comes before the answer."""
        if self.status and not self._is_whole:
            self._is_whole, self.goes_on = True, self._parser.should_keep_alive()
        elif not self.status:
            self.retry_after, self._has_length = None, False


class H11Answer:
    """An answer, read by h11."""

    def __init__(self, method: str) -> None:
        self.status, self.goes_on = 0, False
        self.retry_after: str | None = None
        self._http, self._body = h11.Connection(h11.CLIENT), 0
        self._http.send(h11.Request(method=method, target="*", headers=[("Host", "")]))
        self._http.send(h11.EndOfMessage())

    def feed(self, data: bytes) -> bool:
        try:
            self._http.receive_data(data)
            while (event := self._http.next_event()) is not h11.NEED_DATA:
                if event is h11.PAUSED or isinstance(event, h11.EndOfMessage):  # a proxy's consent has no end
                    self.goes_on = self._is_over()
                    return True
                if isinstance(event, h11.Response):
                    self._take(event)
                elif isinstance(event, h11.Data):
                    self._count(event)
        except h11.ProtocolError as error:
            raise UnreadableError(str(error)) from error
        return False

    def _is_over(self) -> bool:
        """Whether the answer is complete, so that nothing more arrives without a request."""
        states = {self._http.our_state, self._http.their_state}
        return states <= {h11.DONE, h11.SWITCHED_PROTOCOL} and not self._http.trailing_data[0]

    def _take(self, head: h11.Response) -> None:
        self.status = head.status_code
        asked = [value.decode("latin-1") for name, value in head.headers if name == b"retry-after"]
        self.retry_after = asked[0] if asked else None

    def _count(self, part: h11.Data) -> None:
        self._body += len(part.data)
        if self._body > MOST_BODY:
            raise UnreadableError("the answer is too long")
