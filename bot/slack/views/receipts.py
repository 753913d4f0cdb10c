"""Receipts: the answer to a click, visible only to the person who clicked."""

from typing import assert_never

from bot.slack import blocks
from bot.slack.blocks import Block, Message
from bot.wording.answers import REASONS
from bot.wording.disputes import escalation_sentence
from core.review.votes import Receipt
from core.vocabulary import AnswerKind, shown_answer


def render(receipt: Receipt) -> Message:
    words = _words(receipt)
    return blocks.message(words, [blocks.section(words), *blocks.actions(*_buttons(receipt))])


def _buttons(receipt: Receipt) -> list[Block]:
    if not receipt.may_undo:
        return []
    subject, item_id = str(receipt.subject), receipt.subject.id
    drawn = [blocks.button("Undo", "undo", subject, label="Undo this answer")]
    if receipt.kind is AnswerKind.CANNOT_JUDGE and receipt.reason is None:
        drawn.append(blocks.button("Say why", "form:why", subject, label=f"Say why you can't judge item {item_id}"))
    return drawn


def _words(receipt: Receipt) -> str:
    item, after = f"Item {receipt.subject.id}", _saved(receipt) + _effect(receipt)
    match receipt.kind:
        case AnswerKind.LABEL | AnswerKind.NONE_OF_THESE:
            return f"{item}: *{blocks.literal(shown_answer(receipt.label))}*{_former_answer(receipt)}.{after}"
        case AnswerKind.CANNOT_JUDGE:
            return f"{item}: you can't judge it{_former_answer(receipt)}.{after}"
        case AnswerKind.SKIP:
            return f"{item} skipped{_former_answer(receipt)}.{after}"
        case AnswerKind.WITHDRAWN:
            return f"{item}: your answer is withdrawn.{after}"
        case _:
            assert_never(receipt.kind)


def _former_answer(receipt: Receipt) -> str:
    return f" (was {blocks.literal(receipt.before)})" if receipt.before else ""


def _saved(receipt: Receipt) -> str:
    """The values stored with the answer. The reason is given in words, so that a wrong click is noticed."""
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
