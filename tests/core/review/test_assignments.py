"""Assignments: any reviewer of the queue can answer an item, or only those it is assigned to."""

import pytest
from sqlalchemy.orm import Session

from core.delivery.card_refs import CardRef
from core.errors import NotAllowed
from core.people.availability import pause
from core.records.reviews import Assignment
from core.review.assignments import unanswerable_items
from core.review.ballots import open_ballots
from core.review.items import locked_item
from core.review.my_work import my_work_card
from core.review.votes import decide_again
from core.vocabulary import ItemState
from tests.core.desk import BILLING, NOW, REFUND, SKIP, Desk
from tests.people import ANA, BEN, CLEO, EVA


def assign(desk: Desk, item_id: int, *people: str) -> None:
    with desk.database.transaction() as session:
        session.add_all(Assignment(item_id=item_id, person=person, assigned_at=NOW) for person in people)


def left(desk: Desk, item_id: int) -> int:
    with desk.database.transaction() as session:
        return open_ballots(session, [locked_item(session, CardRef(item_id))]).by_item[item_id].left


def waiting(desk: Desk, person: str) -> list[int]:
    with desk.database.reading() as session:
        [mine] = my_work_card(session, person, [desk.rules], NOW, desk.policy).queues
        assert mine.open == len(mine.waiting)
        return [one.item_id for one in mine.waiting]


def stuck(session: Session, desk: Desk) -> list[int]:
    return unanswerable_items(session, desk.queue().id)


def test_an_item_without_assignments_is_for_every_reviewer(desk: Desk) -> None:
    item_id = desk.ticket()
    assign(desk, desk.ticket(), BEN)
    assert left(desk, item_id) == 3
    assert item_id in waiting(desk, ANA)


def test_an_assigned_item_waits_only_for_the_people_it_names(desk: Desk) -> None:
    free, narrowed = desk.ticket(), desk.ticket()
    assign(desk, narrowed, ANA, BEN)
    assert left(desk, narrowed) == 2
    assert waiting(desk, ANA) == [free, narrowed]
    assert waiting(desk, EVA) == [free]


def test_what_waits_is_counted_by_what_each_has_said_where_some_items_are_assigned(desk: Desk) -> None:
    mine, others, shared, free, skipped, withdrawn, answered = (desk.ticket() for _number in range(7))
    assign(desk, mine, ANA)
    assign(desk, others, BEN, EVA)
    assign(desk, shared, ANA, BEN)
    desk.click(ANA, skipped, SKIP)
    desk.click(ANA, withdrawn, REFUND)
    desk.undo(ANA, withdrawn)
    desk.click(ANA, answered, BILLING)
    desk.click(ANA, answered, REFUND)
    assert waiting(desk, ANA) == [mine, shared, free, withdrawn]
    assert waiting(desk, BEN) == [others, shared, free, skipped, withdrawn, answered]
    assert waiting(desk, EVA) == [others, free, skipped, withdrawn, answered]


def test_a_click_of_another_reviewer_is_refused_and_changes_nothing(desk: Desk) -> None:
    item_id = desk.ticket()
    assign(desk, item_id, ANA, BEN)
    for answer in (REFUND, SKIP):
        with pytest.raises(NotAllowed, match=f"^Item {item_id} is assigned to other reviewers.$"):
            desk.click(EVA, item_id, answer)
    assert desk.answers(item_id) == []
    desk.click(ANA, item_id, REFUND)
    assert desk.click(BEN, item_id, REFUND).settled


def test_an_answer_given_before_the_item_was_assigned_stands_and_may_be_changed(desk: Desk) -> None:
    item_id = desk.ticket()
    desk.click(EVA, item_id, BILLING)
    assign(desk, item_id, ANA)
    desk.click(EVA, item_id, REFUND)
    assert desk.click(ANA, item_id, REFUND).settled


def test_an_item_is_disputed_when_the_people_it_names_have_answered(desk: Desk) -> None:
    item_id = desk.ticket()
    assign(desk, item_id, ANA, BEN)
    desk.click(ANA, item_id, REFUND)
    desk.click(BEN, item_id, BILLING)
    assert desk.item(item_id).state is ItemState.DISPUTED
    assert desk.click(CLEO, item_id, BILLING).adjudicated, "a lead needs no assignment"


def test_an_item_is_stuck_when_the_last_person_it_names_pauses(desk: Desk) -> None:
    free, narrowed = desk.ticket(), desk.ticket()
    assign(desk, narrowed, ANA)
    with desk.database.transaction() as session:
        assert stuck(session, desk) == []
        pause(session, ANA, NOW)
        session.flush()
        assert stuck(session, desk) == [narrowed]
        decide_again(session, narrowed, NOW, desk.policy)
    assert [desk.item(item_id).state for item_id in (free, narrowed)] == [ItemState.OPEN, ItemState.DISPUTED]
