"""Items about texts that a language model wrote: shown with their label, answered like others, and no correction that
trains by itself."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from core.delivery.card_refs import CardRef
from core.errors import AlreadySettled, NotAllowed, Refusal
from core.learning.data.golden import golden_set
from core.learning.data.snapshots import gather
from core.records.learning import TrainingRun
from core.records.reviews import ReviewItem
from core.records.synthetic import SyntheticText
from core.review.ask_again import ask_about_training_row
from core.review.cards import item_card
from core.review.history import Closed, WrittenFor, item_history
from core.review.items import open_about_written
from core.review.my_work import my_work_card
from core.vocabulary import Destination, ItemState, QuestionAbout, Source, SyntheticState
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NONE, NOW, REFUND, Desk
from tests.core.synthesis.stored import TEXTS, stored_batch
from tests.people import ANA, BEN, CLEO, EVA


def asked(desk: Desk, people: Sequence[str] = ()) -> list[int]:
    stored_batch(desk, TEXTS[:2], SyntheticState.SAMPLED)
    with desk.database.transaction() as session:
        ids = session.scalars(select(SyntheticText.id).order_by(SyntheticText.id)).all()
        return open_about_written(session, ids, people, desk.queue(), NOW)


def test_the_card_asks_about_the_label_and_offers_it_first(desk: Desk) -> None:
    item_id = asked(desk)[0]
    with desk.database.reading() as session:
        card = item_card(session, item_id, desk.policy)
        assert my_work_card(session, ANA, [desk.rules], NOW, desk.policy).queues[0].open == 2
    assert (card.written_for, card.asked_again, card.blind) == (REFUND, False, False)
    assert (card.text, card.labels[0], card.predicted_label) == (TEXTS[0], REFUND, None)
    assert card.link is None


@pytest.mark.parametrize("answer", [REFUND, BILLING, NONE])
def test_its_correction_goes_to_the_batch_and_nowhere_else(open_desk: OpenDesk, answer: str) -> None:
    desk = open_desk(review={"blind_share": 1.0}, golden={"random_share": 1.0}, retraining={"corrections": 1})
    item_id = asked(desk)[0]
    for person in (ANA, BEN):
        desk.click(person, item_id, answer)
    found = desk.correction(item_id)
    assert (found.label, found.destination) == (None if answer == NONE else answer, Destination.BATCH)
    assert found.model_was_right is None
    with desk.database.reading() as session:
        assert gather(session, desk.queue().id, desk.rules) == []
        assert golden_set(session, desk.queue().id) == []
        assert session.scalars(select(TrainingRun)).all() == [], "it is no new correction"


def test_only_those_are_asked_who_read_the_language(desk: Desk) -> None:
    item_id = asked(desk, (ANA, BEN))[0]
    with pytest.raises((NotAllowed, Refusal)):
        desk.click(EVA, item_id, REFUND)
    for person in (ANA, BEN):
        desk.click(person, item_id, REFUND)
    assert desk.item(item_id).state is ItemState.SETTLED


def test_people_are_not_asked_again_about_a_written_text(desk: Desk) -> None:
    asked(desk)
    with desk.database.transaction() as session, pytest.raises(Refusal, match=r"retire its batch \(1\)"):
        ask_about_training_row(session, Source.SYNTHETIC, 1, CLEO, NOW, desk.rules)


def test_its_history_says_who_wrote_it_and_how_it_ended(desk: Desk) -> None:
    item_id = asked(desk)[0]
    with desk.database.transaction() as session:
        item = session.get_one(ReviewItem, item_id)
        item.state, item.settled_at = ItemState.CLOSED, NOW
    with desk.database.reading() as session:
        steps = [line.step for line in item_history(session, item_id, None, desk.policy)]
    assert steps[0] == WrittenFor(REFUND, 1)
    assert steps[-1] == Closed(None)
    with pytest.raises(AlreadySettled, match="its batch of written texts is decided"):
        desk.click(ANA, item_id, REFUND)
    assert desk.item(item_id).about is QuestionAbout.SYNTHETIC
    assert CardRef(item_id).id == item_id
