"""The Slack app: every listener registered, and the one place where errors become sentences.

Slack hears 200 only after our commit (`process_before_response`). Without it Bolt acknowledges events before the
listener runs, and a lead's approval could vanish.
"""

import json
import logging
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from slack_bolt import Ack, App, BoltContext, BoltResponse

from bot.slack import approval, blocks, commands, flagging, hearing, home, people, voting
from bot.slack.entrance import let_in_only_ours
from bot.slack.lazily import share_payloads
from bot.slack.payloads import STALE, Body
from bot.slack.replies import note, tell
from bot.slack.requests import TimedApp
from bot.slack.views import forms
from bot.wiring import Services
from core.errors import Busy, Invalid, Refusal

log = logging.getLogger(__name__)

LAZY_THREADS = 32  # Bolt's own five starve when Slack answers slowly


def build_app(services: Services) -> App:
    """Asks Slack once who we are, so that no click has to. Raises SlackApiError if the token is not good. Does not ask
    whether a request is Slack's: who listens has, before anything was parsed (bot/web.py), and a socket is."""
    threads = ThreadPoolExecutor(LAZY_THREADS, thread_name_prefix="slack")
    app = TimedApp(
        name="goldloop",  # or Bolt looks for one in the sources of all its callers, which takes a tenth of a second
        client=services.slack,
        process_before_response=True,
        listener_executor=threads,
        request_verification_enabled=False,
    )
    hearing.register(app, services, threads)
    share_payloads(app)
    let_in_only_ours(app, _sentence, threads)
    for room in (voting, approval, commands, flagging, home, people):
        room.register(app, services)
    app.error(_sentence)
    _answer_the_unknown(app)
    return app


def _sentence(error: Exception, body: Body, context: BoltContext) -> BoltResponse:
    """A refusal is said to the person who acted; anything else is a bug: logged with an id, said with that id.

    Events have nobody to answer: where the database is busy or we have a bug, they are not acknowledged, so that Slack
    delivers them again. What cannot be used is: it would be no better the next time.
    """
    if isinstance(error, Refusal):
        words, field = str(error), error.field if isinstance(error, Invalid) else None
        log.info("refused", extra={"code": error.code})
    else:
        reference = uuid.uuid4().hex[:8]
        log.error("a listener failed", exc_info=error, extra={"reference": reference})
        words, field = f"Something broke on our side (id {reference}). Nothing was recorded; please try again.", None
    kind = body.get("type")
    if kind == "event_callback":
        return BoltResponse(status=_of_event(error))
    if kind == "view_submission":
        return _answered(_in_the_form(words, field, body))
    if kind == "block_suggestion":
        return _answered({"options": []})
    if "command" in body:
        return _answered({"response_type": "ephemeral", "text": blocks.escape(words)})
    note(context, blocks.message(blocks.escape(words), []))
    return BoltResponse(status=200, body="")


def _of_event(error: Exception) -> int:
    if isinstance(error, Busy):
        return 503
    return 200 if isinstance(error, Refusal) else 500


def _in_the_form(words: str, field: str | None, body: Body) -> dict[str, Any]:
    inputs = {block.get("block_id") for block in body["view"].get("blocks", []) if block.get("type") == "input"}
    if field in inputs:
        return {"response_action": "errors", "errors": {field: words}}
    return {"response_action": "update", "view": forms.sentence("Not recorded", words).body}


def _answered(payload: dict[str, Any]) -> BoltResponse:
    return BoltResponse(status=200, body=json.dumps(payload), headers={"content-type": ["application/json"]})


def _answer_the_unknown(app: App) -> None:
    """Registered last. A control of an older version, or a view of a form that is gone, is answered in words; events we
    do not use are acknowledged."""

    def stale(ack: Ack, context: BoltContext) -> None:
        ack()
        note(context, blocks.message(STALE, []))

    def stale_form(ack: Ack) -> None:
        ack(response_action="update", view=forms.sentence("Out of date", STALE).body)

    def no_options(ack: Ack) -> None:
        ack(options=[])

    def quiet(ack: Ack) -> None:
        ack()

    anything = re.compile(".*", re.DOTALL)
    app.action(anything)(ack=stale, lazy=[tell])
    app.shortcut(anything)(ack=stale, lazy=[tell])
    app.view_submission(anything)(stale_form)
    app.view_closed(anything)(quiet)
    app.options(anything)(no_options)
    app.event(anything)(quiet)
