"""The HTTP application: Slack's signed requests, the health routes and, mounted under /api, the API."""

import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import FastAPI, Request, Response
from slack_bolt import BoltRequest, BoltResponse
from slack_sdk.signature import SignatureVerifier
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import Lifespan, Receive, Scope, Send

from bot.api.app import create_api
from bot.api.problems import answer_problems
from bot.observability.health import health_routes
from bot.observability.liveness import Liveness
from bot.runtime.services import Services
from bot.slack.inbound.payload_schema import PARSED
from bot.slack.inbound.pending import kind_of_vote
from bot.slack.inbound.requests import ANSWERED_WITHIN, TimedApp, read_request, read_vote, unwrapped
from core.storage.deadlines import finished_within

EVENTS = "/slack/events"
MOST_BYTES = 5_000_000  # of one request; Slack's are far smaller
AT_ONCE = 4  # requests from Slack handled at once; more threads only compete for the interpreter
SETTINGS: dict[str, Any] = {
    "title": "Goldloop", "docs_url": None, "redoc_url": None, "openapi_url": None, "redirect_slashes": False,
}  # fmt: skip


async def raw_body(request: Request) -> bytes:
    """The body as it was signed; empty if it is too large, so that no signature matches."""
    received = bytearray()
    with suppress(ClientDisconnect):  # a body that is cut off has no valid signature either
        async for chunk in request.stream():
            received += chunk
            if len(received) > MOST_BYTES:
                return b""
    return bytes(received)


def create_app(services: Services, slack: TimedApp, signing_secret: str, liveness: Liveness | None = None) -> FastAPI:
    """The application of a process that Slack calls over HTTP. Votes are taken on the event loop, where many wait
    for one commit; all else has threads, as it waits for the database by itself."""
    verifier, places = _Verifier(signing_secret), CapacityLimiter(AT_ONCE)

    async def slack_events(request: Request) -> Response:
        with finished_within(ANSWERED_WITHIN):  # from its arrival: it may have to wait for a place
            body = await raw_body(request)
            if not _is_signed(verifier, body, request.headers):  # before it is parsed: anyone can send requests
                return Response("The request is not signed by Slack.", status_code=401)
            if vote := read_vote(body):
                return _response(await slack.vote(vote))
            kind = request.headers.get("content-type", "")  # Bolt makes use of no other header of Slack's
            asked = read_request(lambda: BoltRequest(body=unwrapped(body), headers={"content-type": kind}))
            if asked is None:
                return Response("The request does not have the form of Slack's requests.", status_code=400)
            if kind_of_vote(asked.context[PARSED]):
                return _response(await slack.vote(asked.context[PARSED]))
            return _response(await run_sync(slack.dispatch, asked, limiter=places))

    route = Route(EVENTS, slack_events, methods=["POST"])
    return create_listener(services, liveness or Liveness(), made=_SlackFirst(route, _saying(slack)))


class _SlackFirst(FastAPI):
    """Answers Slack's requests ahead of FastAPI's layers, which have nothing to do for them and take a tenth of a
    click."""

    def __init__(self, slack: Route, lifespan: Lifespan[FastAPI]) -> None:
        super().__init__(**SETTINGS, routes=[slack], lifespan=lifespan)
        self._slack = slack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == EVENTS:
            await self._slack.handle(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _saying(slack: TimedApp) -> Lifespan[FastAPI]:
    """What follows votes is said on the server's own loop."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with slack.after_ack.response_urls.serving():
            yield

    return lifespan


def _response(answer: BoltResponse) -> Response:
    return Response(answer.body, answer.status, dict(answer.first_headers_without_set_cookie()))


def create_listener(services: Services, liveness: Liveness, api: bool = True, made: FastAPI | None = None) -> FastAPI:
    """The application of a process that Slack does not call over HTTP: the health routes and the API. made: the one
    that gets them."""
    app = made or FastAPI(**SETTINGS)
    app.include_router(health_routes(services, liveness))
    if api:
        app.mount("/api", create_api(services))
    answer_problems(app)  # also for errors outside the API's routes
    return app


class _Verifier(SignatureVerifier):
    """Slack's own, but for the digest: in one call it takes a fourth of the time, and no other thread takes the
    interpreter meanwhile."""

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
