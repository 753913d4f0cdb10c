"""Immediate replies that only one person sees: receipts, refusals, forms. They hold no state and are useless later, so
they bypass the outbox. All are sent after the acknowledgement (after_ack.py).
"""

import logging

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.slack.blocks import Message, View
from bot.slack.errors import CONNECTION
from bot.slack.inbound.response_url import answer

TOO_LATE = {"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id", "ratelimited", "rate_limited"}
AGAIN = "The form could not be opened in time. Please click again."

log = logging.getLogger(__name__)


def tell(response_url: str, message: Message) -> None:
    """Send this to the person who acted, and only to them. Does nothing where the request has no response_url, as a
    form does not."""
    if response_url:
        answer(response_url, {"text": message.text, "blocks": message.blocks or None})


def tell_in_place(response_url: str, message: Message) -> None:
    """The same in place of the message in which they clicked, which only they see."""
    answer(response_url, {"text": message.text, "blocks": message.blocks or None}, replace=True)


def tell_after_form(response_url: str, message: Message, slack: WebClient, channel: str, person: str) -> None:
    """The same in this channel where the form brought no address for an answer. Not said twice either."""
    if response_url:
        tell(response_url, message)
        return
    try:
        slack.chat_postEphemeral(channel=channel, user=person, text=message.text, blocks=message.blocks or None)
    except SlackApiError as error:
        log.info("Receipt not delivered", extra={"slack_error": error.response.get("error")})
    except CONNECTION as error:
        log.info("Receipt delivery uncertain", extra={"reason": type(error).__name__})


def show_view(slack: WebClient, trigger_id: str, view: View, response_url: str) -> None:
    """Open a modal for the person whose click carried this trigger. Slack takes it for three seconds and at a limited
    rate; where it does not, the person is asked to click again."""
    try:
        slack.views_open(trigger_id=trigger_id, view=view.body)
    except SlackApiError as error:
        reason = error.response.get("error")
        if reason not in TOO_LATE:
            raise
        _ask_to_click_again(response_url, reason)
    except CONNECTION as error:  # Slack does not answer
        _ask_to_click_again(response_url, type(error).__name__)


def _ask_to_click_again(response_url: str, reason: str) -> None:
    log.info("Modal not opened", extra={"slack_error": reason})
    tell(response_url, Message(AGAIN))
