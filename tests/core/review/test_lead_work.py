"""What waits for a lead: of the queues that they lead, bounded, oldest first."""

import pytest
from sqlalchemy import update

from core.records.queues import Member
from core.review import lead_work as module
from core.review.lead_work import LeadWork, lead_work
from tests.core.desk import CANNOT, REFUND, Desk
from tests.core.models import candidate, seeded
from tests.people import ANA, BEN, CLEO, DAN


def waiting(desk: Desk, person: str = CLEO) -> LeadWork | None:
    with desk.database.reading() as session:
        return lead_work(session, person, desk.policy)


def disputed(desk: Desk) -> int:
    item_id = desk.ticket()
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
def test_a_candidate_that_waits_is_listed(desk: Desk) -> None:
    seeded(desk)
    candidate(desk)
    newest = candidate(desk)
    found = waiting(desk)
    assert found is not None
    assert ([card.subject.id for card in found.candidates], found.more_candidates) == ([newest], 0)


def test_who_leads_nowhere_or_may_not_act_sees_nothing(desk: Desk) -> None:
    disputed(desk)
    assert waiting(desk, ANA) is None
    assert waiting(desk, DAN) is None
    with desk.database.transaction() as session:
        session.execute(update(Member).where(Member.person == CLEO).values(active=False))
    assert waiting(desk) is None
