"""Every request from Slack, by socket or HTTP: it gets an id, which its log lines carry, and is timed."""

import random
import re
import time
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk import WebClient
from structlog.contextvars import bound_contextvars

from bot.observability.metrics import ACKNOWLEDGED
from bot.slack.inbound.after_ack import AfterAck
from bot.slack.inbound.payload_schema import Payload, parse
from core.storage.deadlines import finished_within

KINDS = frozenset({"block_actions", "view_submission", "view_closed", "block_suggestion", "message_action", "shortcut"})

# Seconds of waiting for the database; Slack shows ⚠ after 3, and a busy machine needs some itself.
ANSWERED_WITHIN = 1.5
WRAPPED = b"payload="
PARSED = "parsed"  # the name by which Bolt hands a listener its payload
SUBJECT = re.compile(r"([0-9]{1,18})(?:\.[0-9]{1,18})?(\||$)")
UNREADABLE = (ValueError, RecursionError, TypeError, AttributeError, KeyError)


def unwrapped(body: bytes) -> str:
    """The JSON that Slack wraps in a form, or any other body as it is. Raises UnicodeDecodeError."""
    if not body.startswith(WRAPPED) or b"&" in body:
        return body.decode()
    return unquote_to_bytes(body[len(WRAPPED) :].replace(b"+", b" ")).decode()


def read_request(make: Callable[[], BoltRequest]) -> BoltRequest | None:
    """What Slack sent, by socket or over HTTP; None for what it never sends. Bolt looks into the payload already while
    it makes a request of it, and stumbles over what is nested too deeply or has the wrong shape. Listeners get the
    parsed payload as their argument `parsed`."""
    try:
        made = make()
    except UNREADABLE:
        return None
    parsed = parse(made.body)
    if parsed is None:
        return None
    made.context[PARSED] = parsed
    return made


class TimedApp(App):
    """Bolt, timed from a request's arrival to our answer to it. What a listener does before it is answered is over in
    time, however many transactions it is; what is said after the answer has limits of its own."""

    def __init__(self, slack: WebClient, after_ack: AfterAck) -> None:
        super().__init__(
            name="goldloop",  # else Bolt searches the sources of all callers for a name, which takes 0.1 s
            client=slack,
            process_before_response=True,
            request_verification_enabled=False,
        )
        self._after_ack = after_ack

    def close(self) -> None:
        """After the last request: finish the work that follows acknowledgements, such as receipts."""
        self._after_ack.close()

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        start = time.monotonic()
        parsed: Payload = req.context[PARSED]
        kind = kind_of(parsed)
        try:
            with (
                bound_contextvars(request=f"{random.getrandbits(48):012x}", kind=kind, **subject_of(parsed)),
                finished_within(ANSWERED_WITHIN),
            ):
                return super().dispatch(req)
        finally:
            ACKNOWLEDGED.labels(kind).observe(time.monotonic() - start)


def kind_of(payload: Payload) -> str:
    """One of a few words, whatever a payload calls itself: each is a time series of its own."""
    if payload.command:
        return "command"
    if payload.type == "event_callback":
        return "event"
    return payload.type if payload.type in KINDS else "other"


def subject_of(payload: Payload) -> dict[str, int]:
    """The item or model that a control or a form is about, by its number: never a text."""
    carried = ""
    if payload.actions:
        carried = payload.actions[0].value
    elif payload.view:
        carried = payload.view.private_metadata
    found = SUBJECT.match(carried)
    return {"subject": int(found[1])} if found else {}
