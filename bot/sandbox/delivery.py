"""Delivery of events and interactions to an app by Socket Mode or signed HTTP, with Slack's time limits and retries.

Sources: docs.slack.dev apis/events-api (retries at once, after 1 and 5 minutes; x-slack-no-retry), authentication/
verifying-requests-from-slack (the v0 signature), interactivity/handling-user-interaction (three seconds, no retries).
"""

import hashlib
import hmac
import json
import time
import uuid
from urllib.parse import urlencode

import httpx

from bot.sandbox.clock import Clock
from bot.sandbox.config import AppConfig
from bot.sandbox.inspector import Inspector
from bot.sandbox.outcome import NO_ANSWER, NO_CONNECTION, Outcome
from bot.sandbox.sockets import NoSocket, Sockets
from bot.sandbox.wire import Json

RETRY_AFTER = (0, 60, 300)  # seconds before the first, second and third retry of an event
ANSWERING = ("interactive", "slash_commands")  # envelopes whose acknowledgement may carry a payload


class Delivery:
    def __init__(self, clock: Clock, sockets: Sockets, inspector: Inspector, ack_seconds: float) -> None:
        self.clock = clock
        self.sockets = sockets
        self.inspector = inspector
        self.ack_seconds = ack_seconds
        self.http: httpx.AsyncClient | None = None  # created at the first use, inside the loop that uses it

    async def close(self) -> None:
        if self.http is not None:
            await self.http.aclose()

    async def interact(self, app: AppConfig, kind: str, payload: Json, retries: int = 0) -> Outcome:
        """Delivers an interaction once, as Slack does, or the same envelope `retries` times more to test an app."""
        identity = str(uuid.uuid4())
        first = await self._deliver(app, kind, payload, identity)
        for attempt in range(1, retries + 1):
            await self._deliver(app, kind, payload, identity, attempt, "timeout")
        return first

    async def event(self, app: AppConfig, payload: Json) -> None:
        """Delivers an event until it is acknowledged or the retries are used up."""
        await self.retry(app, payload, await self.first_attempt(app, payload))

    async def first_attempt(self, app: AppConfig, payload: Json) -> Outcome:
        """Delivers an event once and leaves its retries to `retry`."""
        return await self._deliver(app, "events_api", payload, str(uuid.uuid4()))

    async def retry(self, app: AppConfig, payload: Json, outcome: Outcome) -> None:
        """Counts from the time of the attempt, so that advancing the clock while the app works triggers a retry."""
        sent = self.clock.now()
        for attempt, seconds in enumerate(RETRY_AFTER, start=1):
            if outcome.ok or outcome.no_retry:
                return
            await self.clock.sleep_until(sent + seconds)
            sent = self.clock.now()
            reason = _retry_reason(outcome, app)
            outcome = await self._deliver(app, "events_api", payload, str(uuid.uuid4()), attempt, reason)

    async def _deliver(
        self, app: AppConfig, kind: str, payload: Json, identity: str, attempt: int = 0, reason: str = ""
    ) -> Outcome:
        entry = self.inspector.note(
            "envelope",
            app=app.id,
            type=kind,
            envelope_id=identity,
            payload=payload,
            retry_attempt=attempt,
            retry_reason=reason,
            by="http" if app.request_url else "socket",
        )
        started = time.perf_counter()
        if app.request_url:
            outcome = await self._by_http(app, kind, payload, attempt, reason)
        else:
            outcome = await self._by_socket(app, kind, payload, identity, attempt, reason)
        took = round((time.perf_counter() - started) * 1000, 1)
        self.inspector.note(
            "ack",
            app=app.id,
            of=entry["id"],
            type=kind,
            envelope_id=identity,
            ok=outcome.ok,
            status=outcome.status,
            ms=took,
            error=outcome.error,
            response=outcome.response,
        )
        return Outcome(outcome.ok, outcome.status, took, outcome.error, {}, outcome.response, outcome.no_retry)

    async def _by_socket(
        self, app: AppConfig, kind: str, payload: Json, identity: str, attempt: int, reason: str
    ) -> Outcome:
        envelope: Json = {
            "envelope_id": identity,
            "payload": payload,
            "type": kind,
            "accepts_response_payload": kind in ANSWERING,
        }
        if kind == "events_api" or attempt:
            envelope |= {"retry_attempt": attempt, "retry_reason": reason}
        try:
            answer = await self.sockets.ask(app.id, envelope, self.ack_seconds)
        except NoSocket:
            return Outcome(False, error=NO_CONNECTION)
        except TimeoutError:
            return Outcome(False, error=NO_ANSWER)
        body = answer.get("payload") if kind in ANSWERING else None
        return Outcome(True, 200, response=body if body and isinstance(body, dict) else None)

    async def _by_http(self, app: AppConfig, kind: str, payload: Json, attempt: int, reason: str) -> Outcome:
        body, content_type = _http_body(kind, payload)
        headers = {"Content-Type": content_type} | signature(app.signing_secret, body)
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason}
        try:
            answer = await self._client().post(str(app.request_url), content=body, headers=headers)
        except httpx.TimeoutException:
            return Outcome(False, error=NO_ANSWER)
        except httpx.HTTPError:
            return Outcome(False, error=NO_CONNECTION)
        accepted = 200 <= answer.status_code < 300 if kind == "events_api" else answer.status_code == 200
        no_retry = answer.headers.get("x-slack-no-retry") == "1"
        error = None if accepted else f"http_{answer.status_code}"
        return Outcome(accepted, answer.status_code, 0, error, {}, _answer_body(answer), no_retry)

    async def verify_url(self, app: AppConfig) -> Outcome:
        """Sends the challenge to the request_url, as Slack does when the URL is saved."""
        challenge = uuid.uuid4().hex
        payload = {"token": "sandbox", "challenge": challenge, "type": "url_verification"}
        outcome = await self._deliver(app, "events_api", payload, str(uuid.uuid4()))
        answered = (outcome.response or {}).get("challenge", (outcome.response or {}).get("text"))
        if outcome.ok and answered != challenge:
            return Outcome(False, outcome.status, outcome.ms, "The URL did not answer with the challenge.")
        return outcome

    def _client(self) -> httpx.AsyncClient:
        if self.http is None:
            self.http = httpx.AsyncClient(timeout=self.ack_seconds, trust_env=False)
        return self.http


def signature(secret: str, body: str) -> dict[str, str]:
    """The signature headers. They use real time, because an app compares it with its own clock."""
    stamp = str(int(time.time()))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


def _http_body(kind: str, payload: Json) -> tuple[str, str]:
    if kind == "events_api":
        return json.dumps(payload), "application/json"
    fields = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
    return urlencode(fields), "application/x-www-form-urlencoded"


def _answer_body(answer: httpx.Response) -> Json | None:
    if not answer.content:
        return None
    try:
        body = answer.json()
    except ValueError:
        return {"text": answer.text}
    return body if isinstance(body, dict) else None


def _retry_reason(outcome: Outcome, app: AppConfig) -> str:
    if outcome.error == NO_ANSWER:
        return "http_timeout" if app.request_url else "timeout"
    if outcome.error == NO_CONNECTION:
        return "connection_failed"
    return "http_error"
