"""The story of an item that was disputed, or whose text was erased."""

from datetime import datetime, timedelta

import pytest

from core.privacy.erasure import erase
from core.review.history import Drawn, Erased, Escalated, HistoryLine, Settled, item_history
from core.vocabulary import Coded, DisputeReason, ErrorReason
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, CANNOT, DELIVERY, NOW, REFUND, Desk
from tests.people import ANA, BEN, CLEO, DAN, EVA

LATER = NOW + timedelta(days=3)
CLOSED, COUNTED = Erased(was_settled=False), Erased(was_settled=True)


def story(desk: Desk, item_id: int, person: str | None) -> list[HistoryLine]:
    with desk.database.reading() as session:
        return item_history(session, item_id, person, desk.policy)


UNAGREED, UNJUDGED = (Coded(DisputeReason.NO_AGREEMENT, {"count": 3}), Coded(DisputeReason.CANNOT_JUDGE, {"count": 2}))


def after(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def escalations(desk: Desk, item_id: int, person: str | None) -> list[HistoryLine]:
    return [line for line in story(desk, item_id, person) if isinstance(line.step, Escalated)]


def test_a_dispute_stays_in_the_story_with_who_disagreed_and_what_the_lead_decided(desk: Desk) -> None:
    item_id = desk.ticket()
    said = [(ANA, DELIVERY), (ANA, REFUND), (BEN, BILLING), (EVA, DELIVERY), (EVA, BILLING)]
    for minute, (person, answer) in enumerate(said):
        desk.click(person, item_id, answer, now=after(minute))
    desk.click(CLEO, item_id, BILLING, now=after(9), reason=ErrorReason.AMBIGUOUS, note="rule 4")
    tally, names = {BILLING: 1, DELIVERY: 1, REFUND: 1}, {BILLING: (BEN,), DELIVERY: (EVA,), REFUND: (ANA,)}
    assert escalations(desk, item_id, CLEO) == [HistoryLine(after(3), Escalated(UNAGREED, tally, names))]
    assert escalations(desk, item_id, DAN) == [HistoryLine(after(3), Escalated(UNAGREED, tally, {}))]
    last = story(desk, item_id, DAN)[-1].step
    assert isinstance(last, Settled)
    assert (last.by_lead, last.label, last.reason, last.note) == (True, BILLING, ErrorReason.AMBIGUOUS, "rule 4")


def test_an_item_that_was_disputed_twice_says_so_twice(desk: Desk) -> None:
    item_id = desk.ticket()
    desk.click(ANA, item_id, CANNOT, now=after(0))
    desk.click(BEN, item_id, CANNOT, now=after(1))
    desk.undo(BEN, item_id, now=after(2))
    desk.click(BEN, item_id, CANNOT, now=after(3))
    desk.click(CLEO, item_id, REFUND, now=after(4))
    both = {"can't judge": (ANA, BEN)}
    assert escalations(desk, item_id, CLEO) == [
        HistoryLine(after(minute), Escalated(UNJUDGED, {"can't judge": 2}, both)) for minute in (1, 3)
    ]


@pytest.mark.parametrize("reveal", ["tally", "names"])
def test_while_it_is_disputed_the_story_says_no_more_than_the_card(open_desk: OpenDesk, reveal: str) -> None:
    desk = open_desk(review={"blind_share": 0.0, "reveal": reveal})
    item_id = desk.ticket()
    for person, answer in ((ANA, REFUND), (BEN, BILLING), (EVA, DELIVERY)):
        desk.click(person, item_id, answer)
    for person in (ANA, CLEO, DAN):
        assert escalations(desk, item_id, person) == [HistoryLine(NOW, Escalated(UNAGREED, {}, {}))]
    [line] = escalations(desk, item_id, None)
    assert line.step == Escalated(
        UNAGREED, {REFUND: 1, BILLING: 1, DELIVERY: 1}, {REFUND: (ANA,), BILLING: (BEN,), DELIVERY: (EVA,)}
    )


@pytest.mark.parametrize(
    ("answers", "last"),
    [
        ({ANA: REFUND}, CLOSED),
        ({ANA: CANNOT, BEN: CANNOT}, CLOSED),
        ({ANA: REFUND, BEN: REFUND}, COUNTED),
    ],
    ids=["open", "disputed", "settled"],
)
def test_it_ends_with_when_the_text_was_erased_and_what_that_did(
    desk: Desk, answers: dict[str, str], last: Erased
) -> None:
    item_id = desk.ticket(external_id="E-1")
    for person, answer in answers.items():
        desk.click(person, item_id, answer)
    before = story(desk, item_id, None)
    with desk.database.transaction() as session:
        erase(session, desk.rules.name, "E-1", LATER)
    assert story(desk, item_id, None) == [*before, HistoryLine(LATER, last)]
    assert story(desk, item_id, CLEO)[-1] == HistoryLine(LATER, last)


def test_of_an_erasure_of_something_else_it_says_nothing(desk: Desk) -> None:
    item_id = desk.settled(ANA, BEN)
    desk.ticket(external_id="E-1")
    before = story(desk, item_id, None)
    with desk.database.transaction() as session:
        erase(session, desk.rules.name, "E-1", LATER)
    assert story(desk, item_id, None) == before


def test_the_story_says_what_the_lots_drew_but_not_on_a_blind_item_that_is_open(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"audit_share": 0.999999})
    item_id = desk.ticket()
    drawn = Drawn(0.999999, audited=True, hold=0.0, held_back=False, sent=True)
    assert drawn in [line.step for line in story(desk, item_id, None)]
    assert drawn not in [line.step for line in story(desk, item_id, DAN)]
    for person in (ANA, BEN):
        desk.click(person, item_id, REFUND)
    assert drawn in [line.step for line in story(desk, item_id, DAN)]
