"""The HTTP door: Slack's signed requests, and whether this process is alive. The API is beside it."""

from contextlib import suppress

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import FastAPI, Request, Response
from slack_bolt import App, BoltRequest
from slack_sdk.signature import SignatureVerifier
from starlette.requests import ClientDisconnect

from bot.api.app import create_api
from bot.api.problems import answer_problems
from bot.observability.health import health_routes
from bot.observability.liveness import Liveness
from bot.runtime.services import Services
from bot.slack.inbound.requests import ANSWERED_WITHIN, read_request, unwrapped
from core.storage.deadlines import finished_within

MOST_BYTES = 5_000_000  # of one request; Slack's own are far smaller
AT_ONCE = 4  # requests of Slack that are looked at; more threads only take the interpreter from one another


async def raw_body(request: Request) -> bytes:
    """The body as it was signed. What comes after it runs in a thread, as the database wants it."""
    received = bytearray()
    with suppress(ClientDisconnect):  # what broke off is not signed either
        async for chunk in request.stream():
            received += chunk
            if len(received) > MOST_BYTES:
                return b""  # no signature fits an empty body: refused
    return bytes(received)


def create_app(services: Services, slack: App, signing_secret: str, liveness: Liveness | None = None) -> FastAPI:
    """What a process answers that Slack reaches over HTTP."""
    app = create_listener(services, liveness or Liveness())
    verifier, places = SignatureVerifier(signing_secret), CapacityLimiter(AT_ONCE)

    async def slack_events(request: Request) -> Response:
        with finished_within(ANSWERED_WITHIN):  # from its arrival: it may have to wait for a place
            body = await raw_body(request)
            return await run_sync(answered, body, dict(request.headers), limiter=places)

    def answered(body: bytes, headers: dict[str, str]) -> Response:
        if not _is_signed(verifier, body, headers):  # before anything is parsed: strangers send what they like
            return Response("not signed by Slack", status_code=401)
        asked = read_request(lambda: BoltRequest(body=unwrapped(body), headers={**headers}))
        if asked is None:
            return Response("this is nothing that Slack sends", status_code=400)
        answer = slack.dispatch(asked)
        return Response(answer.body, answer.status, dict(answer.first_headers_without_set_cookie()))

    app.add_route("/slack/events", slack_events, methods=["POST"])  # not FastAPI's: there is nothing to validate
    return app


def create_listener(services: Services, liveness: Liveness, api: bool = True) -> FastAPI:
    """What a process answers that Slack reaches by its socket or not at all: how it is, and the API."""
    app = FastAPI(title="Goldloop", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.include_router(health_routes(services, liveness))
    if api:
        app.mount("/api", create_api(services))
    answer_problems(app)  # also what misses the API's address by a line break, and whatever breaks on our side
    return app


def _is_signed(verifier: SignatureVerifier, body: bytes, headers: dict[str, str]) -> bool:
    """False also for what the verifier itself stumbles over: no UTF-8, a time that is no number or has hundreds of
    digits, a signature that is not ASCII."""
    try:
        return verifier.is_valid_request(body, headers)
    except (ValueError, TypeError, OverflowError):
        return False
