"""The HTTP application: Slack's signed requests, the health routes and, mounted under /api, the API."""

import hmac
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from slack_bolt import BoltRequest, BoltResponse
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from bot.api.problems import answer_problems
from bot.observability.health import health_routes
from bot.observability.liveness import Liveness
from bot.runtime.services import Services
from bot.slack.inbound.payload_schema import PARSED
from bot.slack.inbound.pending import kind_of_vote
from bot.slack.inbound.requests import ANSWERED_WITHIN, TimedApp, read_request, read_vote, unwrapped
from core.storage.deadlines import finished_within

EVENTS = "/slack/events"
MOST_BYTES = 5_000_000  # the largest body of a request; Slack's are far smaller
AT_ONCE = 4  # requests from Slack handled at once; more threads only compete for the interpreter

log = logging.getLogger(__name__)


async def raw_body(request: Request) -> bytes:
    """The body as it was signed; empty if it is too large, so that no signature matches."""
    received = bytearray()
    with suppress(ClientDisconnect):  # a body that is cut off has no valid signature either
        async for chunk in request.stream():
            received += chunk
            if len(received) > MOST_BYTES:
                return b""
    return bytes(received)


def create_app(services: Services, slack: TimedApp, signing_secret: str, liveness: Liveness | None = None) -> Starlette:
    """The application of a process that Slack calls over HTTP. Votes are handled on the event loop, where many wait for
    one commit; all other requests run in threads, because they wait for the database by themselves."""
    verifier, places = _Verifier(signing_secret), CapacityLimiter(AT_ONCE)

    async def slack_events(request: Request) -> Response:
        with finished_within(ANSWERED_WITHIN):  # counted from its arrival, because it may have to wait for a place
            body = await raw_body(request)
            if not _is_signed(verifier, body, request.headers):  # checked before parsing: anyone can send requests
                return Response("The request is not signed by Slack.", status_code=401)
            if vote := read_vote(body):
                return _response(await slack.vote(vote))
            kind = request.headers.get("content-type", "")  # Bolt uses no other header of Slack's requests
            bolt_request = read_request(lambda: BoltRequest(body=unwrapped(body), headers={"content-type": kind}))
            if bolt_request is None:
                return Response("The request does not have the form of Slack's requests.", status_code=400)
            if kind_of_vote(bolt_request.context[PARSED]):
                return _response(await slack.vote(bolt_request.context[PARSED]))
            return _response(await run_sync(slack.dispatch, bolt_request, limiter=places))

    return _SlackFirst(services, liveness or Liveness(), slack, slack_events)


def create_listener(services: Services, liveness: Liveness, api: bool = True) -> Starlette:
    """The application of a process that Slack does not call over HTTP: the health routes and the API."""
    return _App(services, liveness, api)


class _App(Starlette):
    """The health routes and the API."""

    def __init__(
        self, services: Services, liveness: Liveness, api: bool = True, others: Sequence[BaseRoute] = ()
    ) -> None:
        self._api = _Api(services) if api else None
        mounted = [Mount("/api", self._api)] if self._api else []
        super().__init__(routes=[*others, *health_routes(services, liveness), *mounted], lifespan=type(self)._serving)
        self.router.redirect_slashes = False  # Starlette would redirect to any host that the request names
        answer_problems(self)  # also for errors outside the API's routes

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[None]:
        if self._api is not None:
            threading.Thread(target=self._api.load, daemon=True, name="api").start()
        yield


class _SlackFirst(_App):
    """Answers Slack's requests ahead of Starlette's layers and routes, which do nothing for them and take a seventh of
    a click. The answers that follow votes are sent on the server's own loop."""

    def __init__(
        self, services: Services, liveness: Liveness, slack: TimedApp, answer: Callable[[Request], Awaitable[Response]]
    ) -> None:
        self._slack, self._answer = slack, answer
        super().__init__(services, liveness, others=[Route(EVENTS, answer, methods=["POST"])])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == EVENTS and scope["method"] == "POST":
            response = await self._answer(Request(scope, receive))
            await response(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[None]:
        async with super()._serving(), self._slack.after_ack.response_urls.serving():
            yield


class _Api:
    """The API, created once the process listens, or by its first request if that comes earlier: its libraries and
    routes take a fifth of the start, and no click needs them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._made: Starlette | None = None

    @property
    def routes(self) -> list[BaseRoute]:
        """The API's routes, for a caller that lists the routes of the whole application."""
        return self._make().routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        made = await run_sync(self._make) if self._made is None else self._made
        await made(scope, receive, send)

    def load(self) -> None:
        try:
            self._make()
        except Exception:
            log.exception("The API cannot be served")  # each request to the API will report it again

    def _make(self) -> Starlette:
        with self._lock:
            if self._made is None:
                from bot.api.app import create_api

                self._made = create_api(self._services)
            return self._made


def _response(answer: BoltResponse) -> Response:
    return Response(answer.body, answer.status, dict(answer.first_headers_without_set_cookie()))


class _Verifier(SignatureVerifier):
    """Slack's verifier with another computation of the digest: in a single call, it takes a fourth of the time, and no
    other thread gets the interpreter meanwhile."""

    def generate_signature(self, *, timestamp: str, body: str | bytes) -> str:
        signed = f"v0:{timestamp}:".encode() + (body.encode() if isinstance(body, str) else body)
        return f"v0={hmac.digest(self.signing_secret.encode(), signed, 'sha256').hex()}"


def _is_signed(verifier: SignatureVerifier, body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether the signature is valid. False also for input on which the verifier raises: an invalid timestamp, a
    signature that is not ASCII."""
    try:
        return verifier.is_valid(body, headers.get("x-slack-request-timestamp"), headers.get("x-slack-signature"))
    except (ValueError, TypeError, OverflowError):
        return False
