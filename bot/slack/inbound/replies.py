"""Words that only one person sees, at once: receipts, refusals, forms. They hold no state and are worthless later, so
they do not pass through the outbox.

A listener notes them in Bolt's `context`; `tell`, a lazy listener, says them after the acknowledgement.
"""

import logging
from typing import Any

from slack_bolt import BoltContext, Respond
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.slack.blocks import Message, View
from bot.slack.errors import CONNECTION
from bot.slack.inbound.response_url import answer

NOTED = "goldloop_words"
NOTED_CHANNEL = "goldloop_channel"
TOO_LATE = {"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id", "ratelimited", "rate_limited"}
AGAIN = "The form could not be opened in time. Please click again."

log = logging.getLogger(__name__)


def note(context: BoltContext, message: Message, channel: str = "") -> None:
    """To be told to the person who acted, and to nobody else. Plain data: Bolt copies it for lazy listeners.
    channel: where to say it if the act brings no address for an answer, as a form does."""
    context[NOTED] = {"text": message.text, "blocks": message.blocks or None}
    context[NOTED_CHANNEL] = channel


def tell(context: BoltContext, respond: Respond, client: WebClient) -> None:
    """Say what was noted, as a message that only the person sees. Does nothing where nothing was noted."""
    noted, channel = context.get(NOTED), context.get(NOTED_CHANNEL)
    if not noted:
        return
    if respond.response_url:
        answer(respond.response_url, noted)
    elif channel and context.user_id:
        _whisper(client, channel, context.user_id, noted)


def _whisper(client: WebClient, channel: str, person: str, noted: dict[str, Any]) -> None:
    """Not twice either."""
    try:
        client.chat_postEphemeral(channel=channel, user=person, **noted)
    except SlackApiError as error:
        log.info("a receipt could not be shown", extra={"slack_error": error.response.get("error")})
    except CONNECTION as error:
        log.info("a receipt was perhaps not shown", extra={"reason": type(error).__name__})


def show_view(client: WebClient, trigger_id: str, view: View, respond: Respond) -> None:
    """Open a modal for the person whose click carried this trigger. Slack takes it for three seconds and at a limited
    rate; where it does not, the person is asked to click again."""
    try:
        client.views_open(trigger_id=trigger_id, view=view.body)
    except SlackApiError as error:
        reason = error.response.get("error")
        if reason not in TOO_LATE:
            raise
        _ask_to_click_again(respond, reason)
    except CONNECTION as error:  # Slack does not answer
        _ask_to_click_again(respond, type(error).__name__)


def _ask_to_click_again(respond: Respond, reason: str) -> None:
    log.info("a modal could not be opened in time", extra={"slack_error": reason})
    if respond.response_url:
        answer(respond.response_url, {"text": AGAIN})
