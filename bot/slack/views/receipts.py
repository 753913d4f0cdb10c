"""Receipts: the answer to a click, visible only to the person who clicked."""

from typing import assert_never

from bot.slack import blocks
from bot.slack.blocks import Message
from core.review.votes import Receipt
from core.vocabulary import AnswerKind, shown_answer


def render(receipt: Receipt) -> Message:
    words = _words(receipt)
    drawn = [blocks.section(words)]
    if receipt.may_undo:
        drawn += blocks.actions(blocks.button("Undo", "undo", str(receipt.subject), label="Undo this answer"))
    return blocks.message(words, drawn)


def _words(receipt: Receipt) -> str:
    item = f"Item {receipt.subject.id}"
    match receipt.kind:
        case AnswerKind.LABEL | AnswerKind.NONE_OF_THESE:
            return f"{item}: *{blocks.literal(shown_answer(receipt.label))}*{_before(receipt)}.{_effect(receipt)}"
        case AnswerKind.CANNOT_JUDGE:
            return f"{item}: you can't judge it{_before(receipt)}.{_effect(receipt)}"
        case AnswerKind.SKIP:
            return f"{item} skipped{_before(receipt)}.{_effect(receipt)}"
        case AnswerKind.WITHDRAWN:
            return f"{item}: your answer is withdrawn."
        case _:
            assert_never(receipt.kind)


def _before(receipt: Receipt) -> str:
    return f" (was {blocks.literal(receipt.before)})" if receipt.before else ""


def _effect(receipt: Receipt) -> str:
    if receipt.adjudicated:
        return " You decided it."
    return " That decided it." if receipt.settled else ""
