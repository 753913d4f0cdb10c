"""A reviewer's answer with their reason and note, on the settled card and in the form of a lead who is to decide."""

from bot.slack import blocks
from bot.wording.answers import REASONS
from core.review.cards import GivenReason

NOTE = 300  # characters of a note on a card


def answer_line(given: GivenReason, most: int = NOTE) -> str:
    """most: characters of the note."""
    who = f"{blocks.mention(given.person)}: " if given.person else ""
    words = f"_{REASONS[given.reason]}_" if given.reason else ""
    note = blocks.literal(blocks.shorten(given.note, most))
    return f"{who}{blocks.literal(given.answer)} {words} {note}".strip()
