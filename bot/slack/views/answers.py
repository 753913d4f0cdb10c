"""A reviewer's answer with reason and note, for the settled card and for the form in which a lead decides."""

from bot.slack import blocks
from bot.wording.answers import REASONS
from core.review.cards import GivenReason

NOTE = 300  # characters of a note on a card


def answer_line(given: GivenReason, most: int = NOTE) -> str:
    """The line of an answer. most: the most characters of the note."""
    who = f"{blocks.mention(given.person)}: " if given.person else ""
    words = f"_{REASONS[given.reason]}_" if given.reason else ""
    note = blocks.literal(blocks.shorten(given.note, most))
    return f"{who}{blocks.literal(given.answer)} {words} {note}".strip()
