"""Every request of Slack, whichever way it comes: it gets an id that its log lines carry, and is timed."""

import random
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from slack_bolt import App, BoltRequest, BoltResponse
from structlog.contextvars import bound_contextvars

from bot.observability.metrics import ACKNOWLEDGED
from bot.slack.inbound.payload_schema import has_slacks_shape
from core.storage.deadlines import finished_within

KINDS = frozenset({"block_actions", "view_submission", "view_closed", "block_suggestion", "message_action", "shortcut"})

# Seconds of waiting for the database; Slack shows ⚠ after 3, and a busy machine needs some itself.
ANSWERED_WITHIN = 1.5
WRAPPED = b"payload="
UNREADABLE = (ValueError, RecursionError, TypeError, AttributeError, KeyError)


def unwrapped(body: bytes) -> str:
    """The JSON that Slack wraps in a form, or any other body as it is. Raises UnicodeDecodeError."""
    if not body.startswith(WRAPPED) or b"&" in body:
        return body.decode()
    return unquote_to_bytes(body[len(WRAPPED) :].replace(b"+", b" ")).decode()


def read_request(make: Callable[[], BoltRequest]) -> BoltRequest | None:
    """What Slack sent, by socket or over HTTP; None for what it never sends. Bolt looks into the payload already while
    it makes a request of it, and stumbles over what is nested too deeply or has the wrong shape."""
    try:
        made = make()
    except UNREADABLE:
        return None
    return made if has_slacks_shape(made.body) else None


class TimedApp(App):
    """Bolt, timed from a request's arrival to our answer to it. What a listener does before it is answered is over in
    time, however many transactions it is; what is said after the answer (lazy listeners) has each its own limits."""

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        start = time.monotonic()
        kind = kind_of(req.body)
        try:
            with (
                bound_contextvars(request=f"{random.getrandbits(48):012x}", kind=kind, **subject_of(req.body)),
                finished_within(ANSWERED_WITHIN),
            ):
                return super().dispatch(req)
        finally:
            ACKNOWLEDGED.labels(kind).observe(time.monotonic() - start)


def kind_of(body: Any) -> str:
    """One of a few words, whatever a payload calls itself: each is a time series of its own."""
    if not isinstance(body, dict):
        return "other"
    if "command" in body:
        return "command"
    if body.get("type") == "event_callback":
        return "event"
    kind = body.get("type")
    return kind if isinstance(kind, str) and kind in KINDS else "other"


def subject_of(body: Any) -> dict[str, int]:
    """The item or model that a control or a form is about, by its number: never a text."""
    if not isinstance(body, dict):
        return {}
    actions, view = body.get("actions"), body.get("view")
    carried = ""
    if isinstance(actions, list) and actions and isinstance(actions[0], dict):
        carried = str(actions[0].get("value", ""))
    elif isinstance(view, dict):
        carried = str(view.get("private_metadata", ""))
    found = re.match(r"([0-9]{1,18})(?:\.[0-9]{1,18})?(\||$)", carried)
    return {"subject": int(found[1])} if found else {}
