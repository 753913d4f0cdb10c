"""The search for cards that a person or the workspace's retention has deleted; those that people still have to answer
are posted again. A card that changes is found missing when it is redrawn; this task finds the others."""

import logging

from slack_sdk.errors import SlackApiError

from bot.runtime.services import Services
from bot.slack.delivery.deliver import may_deliver
from bot.slack.delivery.history import MOST, newest_first
from bot.slack.errors import CONNECTION
from core.delivery import pending_cards
from core.delivery.pending_cards import Shown
from core.storage.database import PATIENT

PIECE = 50  # cards per transaction: a vote on one of them waits for it

log = logging.getLogger(__name__)


def post_deleted_again(services: Services) -> bool:
    """Compare the cards of all channels with their messages. Always returns False: nothing is left to do."""
    if services.budget.is_silent():
        return False
    with services.database.transaction(wait=PATIENT) as session:
        if not may_deliver(session, services):
            return False
    for channel in services.policy.channels:
        with services.database.reading(wait=PATIENT) as session:
            shown = pending_cards.shown_in(session, channel)
        if shown:
            _compare(services, channel, shown)
    return False


def _compare(services: Services, channel: str, shown: list[Shown]) -> None:
    try:
        there = {str(message["ts"]) for message in newest_first(services.slack, channel, shown[0].ts)}
    except (SlackApiError, *CONNECTION) as error:
        log.info("Channel history not readable", extra={"channel": channel, "reason": type(error).__name__})
        return
    reached = min(there, key=float, default=shown[0].ts) if len(there) >= MOST else shown[0].ts
    gone = [card for card in shown if card.ts not in there and float(card.ts) >= float(reached)]
    if gone:
        log.warning("Deleted cards reposted", extra={"channel": channel, "cards": len(gone)})
    for start in range(0, len(gone), PIECE):
        with services.database.transaction(wait=PATIENT) as session:
            pending_cards.post_again(session, gone[start : start + PIECE], services.clock())
