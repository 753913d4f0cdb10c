"""Words that only one person sees, at once: receipts, refusals, forms. They hold no state and are worthless later, so
they do not pass through the outbox.

A listener notes them in Bolt's `context`; `tell`, a lazy listener, says them after the acknowledgement.
"""

import logging

from slack_bolt import BoltContext, Respond
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.slack.blocks import Message, View

NOTED = "goldloop_words"
TOO_LATE = {"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id", "hash_conflict", "not_found"}

log = logging.getLogger(__name__)


def note(context: BoltContext, message: Message) -> None:
    """To be told to the person who acted, and to nobody else. Plain data: Bolt copies it for lazy listeners."""
    context[NOTED] = {"text": message.text, "blocks": message.blocks}


def tell(context: BoltContext, respond: Respond) -> None:
    """Say what was noted, as a message that only the person sees. Does nothing where nothing was noted."""
    noted = context.get(NOTED)
    if noted and respond.response_url:
        respond(
            text=noted["text"], blocks=noted["blocks"] or None, response_type="ephemeral", replace_original=False
        )  # fmt: skip


def show_view(client: WebClient, trigger_id: str, view: View) -> None:
    """Open a modal for the person whose click carried this trigger. One that came too late is only logged: the person
    sees that nothing opened and clicks again."""
    try:
        client.views_open(trigger_id=trigger_id, view=view.body)
    except SlackApiError as error:
        if error.response.get("error") not in TOO_LATE:
            raise
        log.info("a modal could not be opened in time", extra={"slack_error": error.response.get("error")})
