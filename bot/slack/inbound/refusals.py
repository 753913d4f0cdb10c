"""Errors of listeners as answers: the one place where a refusal becomes a sentence in Slack, and a bug an error with a
reference."""

import json
import logging
import uuid
from collections.abc import Callable
from typing import Any, Protocol

from slack_bolt import BoltResponse
from slack_sdk import WebClient

from bot.slack.blocks import Message
from bot.slack.inbound.after_ack import AfterAck
from bot.slack.inbound.payload_schema import Payload, View
from bot.slack.inbound.replies import show_view
from bot.slack.views import forms
from bot.slack.views.mrkdwn import refusal
from core.errors import DatabaseUnavailable, Invalid, Refusal

log = logging.getLogger(__name__)


class Refuse(Protocol):
    """Makes the answer to a request whose listener raised. tell: sends the sentence to the person who clicked; None: it
    is sent below the message, if the click was in one."""

    def __call__(
        self, error: Exception, parsed: Payload, tell: Callable[[Message], None] | None = None
    ) -> BoltResponse: ...


def refuser(after_ack: AfterAck, slack: WebClient) -> Refuse:
    """The `Refuse` of the app."""

    def refuse(error: Exception, parsed: Payload, tell: Callable[[Message], None] | None = None) -> BoltResponse:
        """Tell the person who acted about the refusal. Any other error is a bug: it is logged with an id, which the
        person is told.

        An event has no sender to answer. If the database is busy or we have a bug, the event is not acknowledged, so
        that Slack delivers it again. An unusable event is acknowledged: it would be as unusable the next time."""
        refused = _refused(error)
        if parsed.type == "event_callback":
            return BoltResponse(status=_of_event(error))
        if parsed.view and parsed.type == "view_submission":
            return _answered(_in_the_form(refused, parsed.view))
        if parsed.type == "block_suggestion":
            return _answered({"options": []})
        if parsed.command:
            return _answered({"response_type": "ephemeral", "text": refusal(refused)})
        if parsed.is_from_home:  # such a click has no response_url
            said = forms.refused("Not recorded", refused)
            after_ack.run(show_view, slack, after_ack.tell, parsed.trigger_id, said, "")
        told = Message(refusal(refused))
        if tell is None:
            after_ack.tell(parsed.response_url, told)
        else:
            tell(told)
        return BoltResponse(status=200, body="")

    return refuse


def _refused(error: Exception) -> Refusal:
    """The refusal itself; for any other error, a refusal that says that we have a bug. Logs either."""
    if isinstance(error, Refusal):
        log.info("Request refused", extra={"code": error.code})
        return error
    reference = uuid.uuid4().hex[:8]
    log.error("Listener failed", exc_info=error, extra={"reference": reference})
    return Refusal(f"Something went wrong on our side (id {reference}). Nothing was recorded. Please try again.")


def _of_event(error: Exception) -> int:
    if isinstance(error, DatabaseUnavailable):
        return 503
    return 200 if isinstance(error, Refusal) else 500


def _in_the_form(refused: Refusal, view: View) -> dict[str, Any]:
    field = refused.field if isinstance(refused, Invalid) else None
    inputs = {block.block_id for block in view.blocks if block.type == "input"}
    if field in inputs:
        return {"response_action": "errors", "errors": {field: str(refused)}}
    return {"response_action": "update", "view": forms.refused("Not recorded", refused).body}


def _answered(payload: dict[str, Any]) -> BoltResponse:
    return BoltResponse(status=200, body=json.dumps(payload), headers={"content-type": ["application/json"]})
