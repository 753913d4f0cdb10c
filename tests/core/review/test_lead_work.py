"""What waits for a lead: of the queues that they lead, bounded, oldest first."""

from dataclasses import fields
from typing import Any

import pytest
from sqlalchemy import select, update

from core.intake.predictions import NewPrediction
from core.learning.lifecycle.cards import PendingCandidate, candidate_card
from core.records.learning import SeedExample
from core.records.queues import Member
from core.records.reviews import Suggestion
from core.records.synthetic import SyntheticText
from core.review import lead_work as module
from core.review.cards import item_card
from core.review.items import open_about_written
from core.review.lead_work import LeadWork, lead_work
from core.vocabulary import SyntheticState
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, CANNOT, DELIVERY, NOW, REFUND, Desk
from tests.core.models import candidate, seeded
from tests.core.synthesis.stored import TEXTS, stored_batch
from tests.people import ANA, BEN, CLEO, DAN


def waiting(desk: Desk, person: str = CLEO) -> LeadWork | None:
    with desk.database.reading() as session:
        return lead_work(session, person, desk.policy)


def disputed(desk: Desk, **more: Any) -> int:
    item_id = desk.ticket(**more)
    for person in (ANA, BEN):
        desk.click(person, item_id, CANNOT)
    return item_id


def test_disputes_of_the_led_queues_are_listed_until_they_are_decided(desk: Desk) -> None:
    desk.ticket()
    first, second = disputed(desk), disputed(desk)
    found = waiting(desk)
    assert found is not None
    assert [item.subject.id for item in found.disputes] == [first, second]
    desk.click(CLEO, first, REFUND)
    found = waiting(desk)
    assert found is not None
    assert [item.subject.id for item in found.disputes] == [second]


def test_the_list_is_bounded_and_says_how_many_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_DISPUTES", 2)
    ids = [disputed(desk) for _ in range(5)]
    found = waiting(desk)
    assert found is not None
    assert ([item.subject.id for item in found.disputes], found.more_disputes) == (ids[:2], 3)


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [False, True], ids=["with a guess", "blind"])
def test_a_dispute_has_the_text_and_the_labels_of_its_card(open_desk: OpenDesk, hidden: bool) -> None:
    """Of a ticket, of one with an answer of a newer model, of a report, and of a written text."""
    desk = open_desk(review={"blind_share": float(hidden)}, privacy={"patterns": ["secret"]})
    asked = [
        disputed(desk, text="a secret", chances={BILLING: 0.5, DELIVERY: 0.3, REFUND: 0.2}) for _ticket in range(2)
    ]
    model_id = candidate(seeded(desk))
    with desk.database.transaction() as session:
        chances = {DELIVERY: 0.7, BILLING: 0.2, REFUND: 0.1}
        session.add(Suggestion(item_id=asked[1], model_id=model_id, label=DELIVERY, confidence=0.7,
                               probabilities=chances, created_at=NOW))  # fmt: skip
    reported = desk.flag(NewPrediction("C1:1", "none", "hello"))
    stored_batch(desk, TEXTS[:1], SyntheticState.SAMPLED, DELIVERY)
    with desk.database.transaction() as session:
        [written] = open_about_written(session, list(session.scalars(select(SyntheticText.id))), [], desk.queue(), NOW)
    for item_id in (reported, written):
        for person in (ANA, BEN):
            desk.click(person, item_id, CANNOT)
    with desk.database.reading() as session:
        found = lead_work(session, CLEO, desk.policy)
        cards = [item_card(session, item_id, desk.policy) for item_id in (*asked, reported, written)]
    assert found is not None
    assert [(one.subject, one.queue_title, one.why, one.text, one.labels) for one in found.disputes] == [
        (card.subject, card.queue_title, card.dispute, card.text, card.labels) for card in cards
    ]
    assert len({card.labels for card in cards}) == (2 if hidden else 4)
    assert cards[0].text == "a [hidden]"


@pytest.mark.slow
def test_a_candidate_that_waits_is_listed(desk: Desk) -> None:
    seeded(desk)
    candidate(desk)
    newest = candidate(desk)
    found = waiting(desk)
    assert found is not None
    [card] = found.candidates
    assert (card.subject.id, card.in_shadow, card.erased, found.more_candidates) == (newest, False, False, 0)
    with desk.database.reading() as session:
        report = candidate_card(session, newest, desk.policy)
    same = {one.name for one in fields(PendingCandidate)} - {"in_shadow", "erased"}
    assert {name: getattr(card, name) for name in same} == {name: getattr(report, name) for name in same}


@pytest.mark.slow
def test_a_candidate_in_shadow_or_with_erased_rows_is_said_to_be_so(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(rollout={"shadow_hours": 24}))
    candidate(desk)
    with desk.database.transaction() as session:
        session.execute(update(SeedExample).where(SeedExample.id == 1).values(erased_at=NOW))
    found = waiting(desk)
    assert found is not None
    assert [(card.in_shadow, card.erased, card.live_name) for card in found.candidates] == [(True, True, None)]


def test_who_leads_nowhere_or_may_not_act_sees_nothing(desk: Desk) -> None:
    disputed(desk)
    assert waiting(desk, ANA) is None
    assert waiting(desk, DAN) is None
    with desk.database.transaction() as session:
        session.execute(update(Member).where(Member.person == CLEO).values(active=False))
    assert waiting(desk) is None
