"""Receipts: the answer to a click, visible only to the person who clicked."""

from typing import assert_never

from bot.slack import blocks
from bot.slack.blocks import Message
from bot.wording.answers import REASONS
from bot.wording.disputes import escalation_sentence
from core.review.votes import Receipt
from core.vocabulary import AnswerKind, shown_answer


def render(receipt: Receipt) -> Message:
    words = _words(receipt)
    drawn = [blocks.section(words)]
    if receipt.may_undo:
        drawn += blocks.actions(blocks.button("Undo", "undo", str(receipt.subject), label="Undo this answer"))
    return blocks.message(words, drawn)


def _words(receipt: Receipt) -> str:
    item, after = f"Item {receipt.subject.id}", _saved(receipt) + _effect(receipt)
    match receipt.kind:
        case AnswerKind.LABEL | AnswerKind.NONE_OF_THESE:
            return f"{item}: *{blocks.literal(shown_answer(receipt.label))}*{_before(receipt)}.{after}"
        case AnswerKind.CANNOT_JUDGE:
            return f"{item}: you can't judge it{_before(receipt)}.{after}"
        case AnswerKind.SKIP:
            return f"{item} skipped{_before(receipt)}.{after}"
        case AnswerKind.WITHDRAWN:
            return f"{item}: your answer is withdrawn.{after}"
        case _:
            assert_never(receipt.kind)


def _before(receipt: Receipt) -> str:
    return f" (was {blocks.literal(receipt.before)})" if receipt.before else ""


def _saved(receipt: Receipt) -> str:
    """What was stored beside the answer; the reason in words, so that a slip of the hand is seen."""
    reason = f"reason ({REASONS[receipt.reason]})" if receipt.reason else ""
    note = "note" if receipt.has_note else ""
    if not reason and not note:
        return ""
    return f" Your {' and '.join(filter(None, (reason, note)))} {'are' if reason and note else 'is'} saved."


def _effect(receipt: Receipt) -> str:
    if receipt.adjudicated:
        return " You decided it."
    if receipt.dispute is not None:
        return f" {escalation_sentence(receipt.dispute)}"
    return " That decided it." if receipt.settled else ""
