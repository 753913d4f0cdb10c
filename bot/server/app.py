"""The HTTP application: Slack's signed requests, the health routes and, mounted under /api, the API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import FastAPI, Request, Response
from slack_bolt import BoltRequest, BoltResponse
from slack_sdk.signature import SignatureVerifier
from starlette.requests import ClientDisconnect
from starlette.types import Lifespan

from bot.api.app import create_api
from bot.api.problems import answer_problems
from bot.observability.health import health_routes
from bot.observability.liveness import Liveness
from bot.runtime.services import Services
from bot.slack.inbound.payload_schema import PARSED
from bot.slack.inbound.pending import kind_of_vote
from bot.slack.inbound.requests import ANSWERED_WITHIN, TimedApp, read_request, unwrapped
from core.storage.deadlines import finished_within

MOST_BYTES = 5_000_000  # of one request; Slack's are far smaller
AT_ONCE = 4  # requests from Slack handled at once; more threads only compete for the interpreter


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
    """The application of a process that Slack calls over HTTP. Votes are dispatched on the event loop, where many wait
    for one commit; all else has threads, as it waits for the database by itself."""
    app = create_listener(services, liveness or Liveness(), lifespan=_saying(slack))
    verifier, places = SignatureVerifier(signing_secret), CapacityLimiter(AT_ONCE)

    async def slack_events(request: Request) -> Response:
        with finished_within(ANSWERED_WITHIN):  # from its arrival: it may have to wait for a place
            body = await raw_body(request)
            if not _is_signed(verifier, body, dict(request.headers)):  # before it is parsed: anyone can send requests
                return Response("The request is not signed by Slack.", status_code=401)
            asked = read_request(lambda: BoltRequest(body=unwrapped(body), headers={**request.headers}))
            if asked is None:
                return Response("The request does not have the form of Slack's requests.", status_code=400)
            if kind_of_vote(asked.context[PARSED]):
                return _response(await slack.dispatch_vote(asked))
            return _response(await run_sync(slack.dispatch, asked, limiter=places))

    app.add_route(
        "/slack/events", slack_events, methods=["POST"]
    )  # Starlette's: there is nothing for FastAPI to validate
    return app


def _saying(slack: TimedApp) -> Lifespan[FastAPI]:
    """What follows votes is said on the server's own loop."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with slack.after_ack.response_urls.serving():
            yield

    return lifespan


def _response(answer: BoltResponse) -> Response:
    return Response(answer.body, answer.status, dict(answer.first_headers_without_set_cookie()))


def create_listener(
    services: Services, liveness: Liveness, api: bool = True, lifespan: Lifespan[FastAPI] | None = None
) -> FastAPI:
    """The application of a process that Slack does not call over HTTP: the health routes and the API."""
    app = FastAPI(
        title="Goldloop", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, lifespan=lifespan
    )
    app.include_router(health_routes(services, liveness))
    if api:
        app.mount("/api", create_api(services))
    answer_problems(app)  # also for errors outside the API's routes
    return app


def _is_signed(verifier: SignatureVerifier, body: bytes, headers: dict[str, str]) -> bool:
    """Whether the signature is valid. False also for input on which the verifier raises: a body that is not UTF-8, an
    invalid timestamp, a signature that is not ASCII."""
    try:
        return verifier.is_valid_request(body, headers)
    except (ValueError, TypeError, OverflowError):
        return False
