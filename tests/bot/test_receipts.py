"""Receipts say what was recorded, and offer undo while there is one."""

from dataclasses import replace
from typing import Any

import pytest

from bot.slack.views import receipts
from core.delivery.card_refs import CardRef
from core.review.votes import Receipt
from core.vocabulary import (
    AnswerKind,
    Coded,
    DisputeReason,
    ErrorReason,
)
from tests.bot.drawn import check
from tests.bot.hostile import HOSTILE


@pytest.mark.parametrize("kind", list(AnswerKind))
def test_a_receipt_says_what_was_recorded_and_offers_undo_while_there_is_one(kind: AnswerKind) -> None:
    label = "refund" if kind is AnswerKind.LABEL else None
    open_ = check(receipts.render(Receipt(CardRef(7), kind, label, before="delivery")))
    settled = check(receipts.render(Receipt(CardRef(7), kind, label, settled=True)))
    assert "Item 7" in open_
    assert ("undo" in open_) == (kind is not AnswerKind.WITHDRAWN)
    assert "undo" not in settled


def test_who_cannot_judge_is_asked_why() -> None:
    cannot = Receipt(CardRef(7), AnswerKind.CANNOT_JUDGE, None)
    assert "Say why" in check(receipts.render(cannot))
    assert "Say why" not in check(receipts.render(replace(cannot, reason=ErrorReason.OTHER)))
    assert "Say why" not in check(receipts.render(replace(cannot, settled=True)))
    assert "Say why" not in check(receipts.render(Receipt(CardRef(7), AnswerKind.SKIP, None)))


def test_receipts_in_words() -> None:
    said = receipts.render(Receipt(CardRef(7), AnswerKind.LABEL, "refund", before="delivery")).text
    assert said == "Item 7: *refund* (was delivery)."
    assert receipts.render(Receipt(CardRef(5), AnswerKind.LABEL, "app bug")).text == "Item 5: *app bug*."
    assert receipts.render(Receipt(CardRef(6), AnswerKind.SKIP, None)).text == "Item 6 skipped."
    assert receipts.render(Receipt(CardRef(6), AnswerKind.CANNOT_JUDGE, None)).text == "Item 6: you can't judge it."
    withdrawn = receipts.render(Receipt(CardRef(6), AnswerKind.WITHDRAWN, None))
    assert withdrawn.text == "Item 6: your answer is withdrawn."
    assert receipts.render(Receipt(CardRef(7), AnswerKind.LABEL, "refund", settled=True)).text.endswith(
        " That decided it."
    )
    decided = Receipt(CardRef(7), AnswerKind.NONE_OF_THESE, None, settled=True, adjudicated=True)
    assert receipts.render(decided).text == "Item 7: *None of these*. You decided it."
    for text in HOSTILE:
        check(receipts.render(Receipt(CardRef(7), AnswerKind.LABEL, text, before=text)))


def test_a_receipt_says_that_reason_and_note_are_saved_and_that_a_lead_decides() -> None:
    split = Coded(DisputeReason.NO_AGREEMENT, {"count": 3})
    why: dict[str, Any] = {"reason": ErrorReason.AMBIGUOUS}

    def told(label: str | None = "refund", kind: AnswerKind = AnswerKind.LABEL, **more: Any) -> str:
        return receipts.render(Receipt(CardRef(5), kind, label, **more)).text

    assert told(dispute=split) == "Item 5: *refund*. The votes disagree, so a lead decides."
    assert told(**why) == "Item 5: *refund*. Your reason (ambiguous: several labels fit) is saved."
    assert told(has_note=True) == "Item 5: *refund*. Your note is saved."
    assert told(**why, has_note=True, settled=True) == (
        "Item 5: *refund*. Your reason (ambiguous: several labels fit) and note are saved. That decided it."
    )
    assert told(None, AnswerKind.CANNOT_JUDGE, **why, dispute=split) == (
        "Item 5: you can't judge it. Your reason (ambiguous: several labels fit) is saved. "
        "The votes disagree, so a lead decides."
    )
    assert told(None, AnswerKind.WITHDRAWN, dispute=split) == (
        "Item 5: your answer is withdrawn. The votes disagree, so a lead decides."
    )
