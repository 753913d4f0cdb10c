"""Immediate replies that only one person sees: receipts, refusals, forms. They hold no state and are useless later, so
they bypass the outbox. All are sent after the acknowledgement (after_ack.py).
"""

import logging

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.runtime.services import Services
from bot.slack.blocks import Message, View
from bot.slack.errors import CONNECTION
from bot.slack.inbound.response_url import Tell
from core.records.reviews import ReviewItem

TOO_LATE = {"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id", "ratelimited", "rate_limited"}
AGAIN = "The form could not be opened in time. Please click again."

log = logging.getLogger(__name__)


def tell_in_channel(services: Services, item_id: int, person: str, message: Message) -> None:
    """Send a message to the person alone, in the channel of the item's queue: a form has no `response_url`. It is not
    sent again if Slack may have shown it."""
    with services.database.reading() as session:
        channel = session.get_one(ReviewItem, item_id).queue.channel
    try:
        services.slack.chat_postEphemeral(
            channel=channel, user=person, text=message.text, blocks=message.blocks or None
        )
    except SlackApiError as error:
        log.info("Receipt not delivered", extra={"slack_error": error.response.get("error")})
    except CONNECTION as error:
        log.info("Receipt delivery uncertain", extra={"reason": type(error).__name__})


def show_view(slack: WebClient, tell: Tell, trigger_id: str, view: View, response_url: str) -> None:
    """Open a modal for the person whose click has this trigger. A trigger is valid for three seconds, and Slack limits
    the rate; if Slack does not open the modal, the person is asked to click again."""
    try:
        slack.views_open(trigger_id=trigger_id, view=view.body)
    except SlackApiError as error:
        reason = error.response.get("error")
        if reason not in TOO_LATE:
            raise
        _ask_to_click_again(tell, response_url, reason)
    except CONNECTION as error:  # Slack does not answer
        _ask_to_click_again(tell, response_url, type(error).__name__)


def _ask_to_click_again(tell: Tell, response_url: str, reason: str) -> None:
    log.info("Modal not opened", extra={"slack_error": reason})
    tell(response_url, Message(AGAIN))
