"""Who flagged a message hears what became of it, once."""

from typing import Any

from sqlalchemy import select

from core.intake.predictions import NewPrediction
from core.privacy.erasure import erase
from core.records.delivery import Notice
from core.vocabulary import NoticeKind
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, DELIVERY, NONE, NOW, REFUND, Desk
from tests.people import ANA, BEN, CLEO, DAN, EVA

ORIGIN = "slack:C0HELP:1764000000.000100"


def told(desk: Desk) -> list[tuple[str, str | None, str, dict[str, Any]]]:
    kinds = (NoticeKind.FLAGGED_SETTLED, NoticeKind.FLAGGED_ERASED)
    with desk.database.reading() as session:
        found = session.scalars(select(Notice).where(Notice.kind.in_(kinds)).order_by(Notice.id))
        return [(notice.channel, notice.person, notice.kind, notice.values) for notice in found]


def flagged(desk: Desk, person: str = DAN) -> int:
    return desk.flag(NewPrediction(ORIGIN, "v1", "money back", label=BILLING, confidence=0.9), person)


def test_the_person_hears_what_the_reviewers_decided(desk: Desk) -> None:
    item = flagged(desk)
    desk.click(ANA, item, REFUND)
    assert told(desk) == []
    desk.click(BEN, item, REFUND)
    values = {"item": item, "external_id": ORIGIN, "label": REFUND, "model_label": BILLING, "by_lead": False}
    assert told(desk) == [(DAN, DAN, NoticeKind.FLAGGED_SETTLED, values)]


def test_a_dispute_is_told_when_a_lead_has_decided_it(desk: Desk) -> None:
    item = flagged(desk)
    for person, answer in ((ANA, REFUND), (BEN, BILLING), (EVA, DELIVERY)):
        desk.click(person, item, answer)
    assert told(desk) == []
    desk.click(CLEO, item, NONE)
    [(_channel, who, _kind, values)] = told(desk)
    assert (who, values["label"], values["by_lead"]) == (DAN, None, True)


def test_who_decided_it_is_not_told_again(desk: Desk) -> None:
    by_vote, by_lead = flagged(desk, ANA), desk.flag(NewPrediction("slack:C0HELP:2.000000", "v1", "where is it"), CLEO)
    for person in (ANA, BEN):
        desk.click(person, by_vote, REFUND)
    for person, answer in ((ANA, REFUND), (BEN, BILLING), (EVA, DELIVERY)):
        desk.click(person, by_lead, answer)
    desk.click(CLEO, by_lead, DELIVERY)
    assert told(desk) == []


def test_a_reviewer_whose_vote_lost_is_told(desk: Desk) -> None:
    item = flagged(desk, ANA)
    for person, answer in ((ANA, REFUND), (BEN, BILLING), (EVA, BILLING)):
        desk.click(person, item, answer)
    desk.click(CLEO, item, BILLING)
    assert [person for _channel, person, *_rest in told(desk)] == [ANA]


def test_the_person_hears_that_the_text_was_erased_before_a_decision(desk: Desk) -> None:
    item = flagged(desk)
    for _ in range(2):
        with desk.database.transaction() as session:
            erase(session, desk.rules.name, ORIGIN, NOW)
    assert told(desk) == [(DAN, DAN, NoticeKind.FLAGGED_ERASED, {"item": item, "external_id": ORIGIN})]


def test_an_erasure_after_the_decision_says_nothing_more(desk: Desk) -> None:
    item = flagged(desk)
    for person in (ANA, BEN):
        desk.click(person, item, REFUND)
    with desk.database.transaction() as session:
        erase(session, desk.rules.name, ORIGIN, NOW)
    assert [kind for _channel, _person, kind, _values in told(desk)] == [NoticeKind.FLAGGED_SETTLED]


def test_what_a_rule_flagged_is_told_to_no_one(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.settled(ANA, BEN)
    assert told(desk) == []
