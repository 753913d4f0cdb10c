"""Sentences about open items when a model goes live."""

from bot.wording.numbers import count
from core.learning.lifecycle.open_items import OpenItems
from core.vocabulary import ModelState

PLANNED = {
    "ask": "If it goes live, open items stay open and show its suggestion.",
    "close": "If it goes live, unanswered items that were flagged only because a model was unsure are closed. Other "
    "open items stay open and show its suggestion.",
}


def open_items_sentence(items: OpenItems, state: ModelState) -> str:
    """The sentence on open items; empty if there are none to mention."""
    if state is ModelState.CANDIDATE:
        return PLANNED[items.rule]
    if state is not ModelState.LIVE or not (items.renewed or items.closed):
        return ""
    closed = f" {count(items.closed, 'unanswered item')} closed when it went live." if items.closed else ""
    renewed = f"Its suggestion was added to {count(items.renewed, 'open item')}." if items.renewed else ""
    return f"{renewed}{closed}".strip()
