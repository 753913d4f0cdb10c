"""What one person alone is told after a click."""

from bot.slack import blocks
from bot.slack.blocks import Message
from core.review.votes import Receipt
from core.vocabulary import AnswerKind, shown_answer

SAID = {AnswerKind.CANNOT_JUDGE: "that you cannot judge it", AnswerKind.SKIP: "your skip"}


def render(receipt: Receipt) -> Message:
    words = _words(receipt)
    drawn = [blocks.section(words)]
    if receipt.may_undo:
        drawn += blocks.actions(blocks.button("Undo", "undo", str(receipt.subject), label="Take this answer back"))
    return blocks.message(words, drawn)


def _words(receipt: Receipt) -> str:
    item = f"item {receipt.subject.id}"
    if receipt.kind is AnswerKind.WITHDRAWN:
        return f"Taken back: your answer about {item} no longer counts."
    if receipt.adjudicated:
        return f"You decided {item}: *{blocks.literal(shown_answer(receipt.label))}*."
    said = SAID.get(receipt.kind) or f"*{blocks.literal(shown_answer(receipt.label))}*"
    before = f" (instead of {blocks.literal(receipt.before)})" if receipt.before else ""
    settled = " That decided it." if receipt.settled else ""
    return f"Recorded for {item}: {said}{before}.{settled}"
