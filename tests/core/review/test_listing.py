"""Corrections in pages: what each holds, what the policy hides, and where a page ends."""

from datetime import datetime, timedelta

import pytest

from core.privacy.erasure import erase
from core.review import listing
from core.review.listing import CorrectionLine, Corrections, GivenAnswer, correction_page
from core.vocabulary import AnswerKind, ErrorReason, Settler
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, CANNOT, NONE, NOW, REFUND, SKIP, Desk
from tests.people import ANA, BEN, CLEO, EVA


def page(desk: Desk, after: int = 0, limit: int = 10, settled_by: datetime = NOW) -> Corrections:
    with desk.database.reading() as session:
        return correction_page(session, desk.rules, None, after, limit, settled_by)


def test_a_correction_has_the_text_and_what_everyone_said_and_why(desk: Desk) -> None:
    item = desk.ticket("charged twice", fields={"From": "Berlin"}, image_url="https://files.example/A.png")
    desk.click(ANA, item, CANNOT, reason=ErrorReason.NOISY_INPUT)
    desk.click(BEN, item, REFUND)
    desk.click(BEN, item, BILLING, reason=ErrorReason.AMBIGUOUS, note="it says twice")
    desk.click(EVA, item, SKIP)
    desk.click(EVA, item, BILLING, note="so it does")
    [line] = page(desk).lines
    assert (line.text, line.fields, line.image_url) == (
        "charged twice", {"From": "Berlin"}, "https://files.example/A.png",
    )  # fmt: skip
    assert (line.label, line.reason, line.note) == (BILLING, ErrorReason.AMBIGUOUS, "it says twice")
    assert line.answers == (
        GivenAnswer(AnswerKind.CANNOT_JUDGE, None, ErrorReason.NOISY_INPUT, "", None),
        GivenAnswer(AnswerKind.LABEL, BILLING, ErrorReason.AMBIGUOUS, "it says twice", None),
        GivenAnswer(AnswerKind.LABEL, BILLING, None, "so it does", None),
    )


def test_of_a_decided_dispute_both_the_votes_and_the_leads_reason_are_there(open_desk: OpenDesk) -> None:
    desk = open_desk(review={"reveal": "names"})
    item = desk.ticket()
    desk.click(ANA, item, BILLING, note="the amount")
    desk.click(BEN, item, REFUND)
    desk.click(EVA, item, NONE)
    desk.click(CLEO, item, REFUND, reason=ErrorReason.GUIDELINE_GAP, note="see the guideline")
    [line] = page(desk).lines
    assert (line.settled_by, line.label, line.reason) == (Settler.LEAD, REFUND, ErrorReason.GUIDELINE_GAP)
    assert line.note == "see the guideline"
    assert [(one.person, one.kind, one.label, one.note) for one in line.answers] == [
        (ANA, AnswerKind.LABEL, BILLING, "the amount"),
        (BEN, AnswerKind.LABEL, REFUND, ""),
        (EVA, AnswerKind.NONE_OF_THESE, None, ""),
    ]


def test_what_the_policy_masks_is_masked_everywhere(open_desk: OpenDesk) -> None:
    desk = open_desk(privacy={"mask": ["email"]})
    item = desk.ticket("write to ana@example.com", fields={"From": "ben@example.com"})
    for person in (ANA, BEN):
        desk.click(person, item, REFUND, note="she is eva@example.com")
    [line] = page(desk).lines
    assert "@example.com" not in repr(line)
    assert (line.text, line.note, line.answers[0].note) == ("write to [e-mail]", "she is [e-mail]", "she is [e-mail]")


def test_what_was_erased_is_empty(desk: Desk) -> None:
    item = desk.ticket("money back", external_id="T-gone", fields={"From": "Berlin"})
    for person in (ANA, BEN):
        desk.click(person, item, REFUND, note="money back")
    with desk.database.transaction() as session:
        erase(session, desk.rules.name, "T-gone", NOW)
    [line] = page(desk).lines
    assert (line.text, line.image_url, line.fields, line.note) == ("", None, {}, "")
    assert {answer.note for answer in line.answers} == {""}
    assert line.label == REFUND


def test_a_page_ends_where_its_texts_become_long(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_CHARACTERS", 250)
    items = [desk.settled(ANA, BEN, text=f"{number} " + "x" * 98) for number in range(5)]
    seen: list[CorrectionLine] = []
    pages, more = 0, True
    while more:
        found = page(desk, after=seen[-1].id if seen else 0, limit=4)
        seen, pages, more = seen + found.lines, pages + 1, found.more
    assert ([line.item_id for line in seen], pages) == (items, 3)


def test_a_text_longer_than_a_page_is_a_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_CHARACTERS", 10)
    for number in range(2):
        desk.settled(ANA, BEN, text=f"{number} " + "x" * 98)
    first = page(desk)
    assert (len(first.lines), first.more) == (1, True)
    rest = page(desk, after=first.lines[0].id)
    assert (len(rest.lines), rest.more) == (1, False)


def test_what_is_not_ripe_is_no_further_page(desk: Desk) -> None:
    desk.settled(ANA, BEN)
    assert page(desk, settled_by=NOW - timedelta(seconds=1)) == Corrections([], more=False)
