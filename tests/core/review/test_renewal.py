"""What happens to open items when another model goes live."""

from dataclasses import replace

import pytest
from slack_sdk import WebClient

from bot.runtime.services import assemble
from bot.wording.format import PLAIN
from bot.wording.item_history import item_step
from bot.worker.open_items import renew_next
from core.errors import AlreadySettled
from core.intake.predictions import NewPrediction
from core.learning.lifecycle.cards import candidate_card
from core.learning.lifecycle.open_items import OpenItems
from core.learning.lifecycle.rollback import rollback
from core.privacy.erasure import erase_expired
from core.review.cards import ModelAnswer, item_card
from core.review.history import item_history
from core.review.my_work import my_work_card
from core.review.renewal import waiting_items
from core.vocabulary import Card, ItemState
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, CANNOT, DELIVERY, NOW, REFUND, SURE, UNSURE, Desk
from tests.core.models import promoted, seeded
from tests.people import ANA, BEN, CLEO, DAN, EVA

pytestmark = pytest.mark.slow  # a fitted model or a process in most of them


PARCEL = "where is the parcel with my lamp"


def renewed(desk: Desk) -> None:
    """The worker sees to everything that promotions have asked for."""
    services = replace(assemble(desk.database, WebClient(), desk.policy), clock=lambda: NOW)
    while renew_next(services):
        pass


def since(desk: Desk, item_id: int) -> ModelAnswer | None:
    with desk.database.reading() as session:
        return item_card(session, item_id, desk.policy).newer


def on_card(desk: Desk, model_id: int) -> OpenItems:
    with desk.database.reading() as session:
        return candidate_card(session, model_id, desk.policy).open_items


def test_an_open_item_is_asked_on_with_the_new_models_suggestion(desk: Desk) -> None:
    item_id = seeded(desk).ticket(text=PARCEL)
    model_id, drawn = promoted(desk), desk.wanted(Card.REVIEW_ITEM, item_id)
    assert since(desk, item_id) is None
    renewed(desk)
    found = since(desk, item_id)
    assert found is not None
    assert (found.label, found.model) == (DELIVERY, "v1")
    assert desk.wanted(Card.REVIEW_ITEM, item_id) == drawn + 1
    with desk.database.reading() as session:
        card = item_card(session, item_id, desk.policy)
    assert (card.labels[0], card.predicted_label) == (DELIVERY, REFUND)
    assert on_card(desk, model_id) == OpenItems("ask", 1, 0)


def test_what_is_settled_is_about_the_prediction_that_was_flagged(desk: Desk) -> None:
    item_id = seeded(desk).ticket(text=PARCEL)
    promoted(desk)
    renewed(desk)
    for person in (ANA, BEN):
        desk.click(person, item_id, DELIVERY)
    assert desk.correction(item_id).model_was_right is False
    assert since(desk, item_id) is None


def test_a_blind_item_shows_no_suggestion_and_is_not_drawn_anew(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(review={"blind_share": 1.0}))
    item_id = desk.ticket(text=PARCEL)
    promoted(desk)
    drawn = desk.wanted(Card.REVIEW_ITEM, item_id)
    renewed(desk)
    assert since(desk, item_id) is None
    assert desk.wanted(Card.REVIEW_ITEM, item_id) == drawn


def test_the_next_promotion_and_a_roll_back_bring_their_own_suggestion(desk: Desk) -> None:
    item_id = seeded(desk).ticket(text=PARCEL)
    for name in ("v1", "v2"):
        promoted(desk)
        renewed(desk)
        found = since(desk, item_id)
        assert found is not None
        assert found.model == name
    with desk.database.transaction() as session:
        rollback(session, desk.queue(), CLEO, "", NOW, desk.rules)
    renewed(desk)
    found = since(desk, item_id)
    assert found is not None
    assert found.model == "v1"


def test_a_model_says_nothing_again_about_its_own_predictions(desk: Desk) -> None:
    item_id = seeded(desk).ticket(text=PARCEL, model_version="v1")
    promoted(desk)
    renewed(desk)
    assert since(desk, item_id) is None


def test_the_policy_closes_what_only_a_models_doubt_opened(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(rollout={"open_items": "close"}))
    unanswered, voted, unsure = (desk.ticket(text=f"{PARCEL} {number}") for number in range(3))
    desk.click(ANA, voted, REFUND)
    desk.click(ANA, unsure, CANNOT)
    asked = desk.flag(NewPrediction("F-1", "sender-1", "charged twice", label=BILLING, confidence=0.9))
    disputed = desk.ticket(text="which one")
    for person, answer in ((ANA, REFUND), (BEN, BILLING), (EVA, DELIVERY)):
        desk.click(person, disputed, answer)
    model_id = promoted(desk)
    renewed(desk)
    states = [desk.item(one).state for one in (unanswered, voted, unsure, asked, disputed)]
    assert states == [ItemState.CLOSED, *[ItemState.OPEN] * 3, ItemState.DISPUTED]
    assert all(since(desk, one) for one in (voted, unsure, asked, disputed))
    assert on_card(desk, model_id) == OpenItems("close", 4, 1)
    with pytest.raises(AlreadySettled, match="was closed when another model went live"):
        desk.click(BEN, unanswered, REFUND)
    with desk.database.reading() as session:
        mine = my_work_card(session, BEN, [desk.rules], NOW, desk.policy)
    assert unanswered not in [one.item_id for one in mine.queues[0].waiting]


def test_an_audit_stays_open(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(rollout={"open_items": "close"}, flagging={"audit_share": 1.0}))
    item_id = desk.ticket(text=PARCEL, chances=SURE)
    promoted(desk)
    renewed(desk)
    assert desk.item(item_id).state is ItemState.OPEN


def test_a_roll_back_closes_nothing(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(rollout={"open_items": "close"}))
    promoted(desk)
    promoted(desk)
    renewed(desk)
    item_id = desk.ticket(text=PARCEL)
    with desk.database.transaction() as session:
        rollback(session, desk.queue(), CLEO, "", NOW, desk.rules)
    renewed(desk)
    assert desk.item(item_id).state is ItemState.OPEN


def test_a_person_who_flags_what_was_closed_opens_it_again(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(rollout={"open_items": "close"}))
    item_id = desk.ticket(text=PARCEL, external_id="T-closed")
    promoted(desk)
    renewed(desk)
    assert desk.flag(NewPrediction("T-closed", "v1", PARCEL, label=DELIVERY, confidence=0.9), DAN) == item_id
    assert desk.item(item_id).state is ItemState.OPEN
    with desk.database.reading() as session:
        assert [flag.person for flag in item_card(session, item_id, desk.policy).why_flagged] == [None, DAN]
    for person in (ANA, BEN):
        desk.click(person, item_id, DELIVERY)
    assert desk.item(item_id).state is ItemState.SETTLED


def test_what_was_closed_is_erased_when_its_time_is_over(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(rollout={"open_items": "close"}, privacy={"retention_days": 1}))
    item_id = desk.ticket(text="what is this")
    promoted(desk)
    renewed(desk)
    with desk.database.transaction() as session:
        erase_expired(session, desk.rules, NOW.replace(day=28))
    assert desk.prediction(item_id).erased_at is not None


def test_a_job_of_a_model_that_is_live_no_more_leaves_the_items_to_the_next(desk: Desk) -> None:
    item_id = seeded(desk).ticket(text=PARCEL)
    promoted(desk)
    promoted(desk)
    renewed(desk)
    found = since(desk, item_id)
    assert found is not None
    assert found.model == "v2"


def test_the_history_of_an_item_says_so(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(rollout={"open_items": "close"}))
    closed, asked = desk.ticket(text=PARCEL), desk.ticket(text="charged twice for the sofa")
    desk.click(ANA, asked, REFUND)
    promoted(desk)
    renewed(desk)
    with desk.database.reading() as session:
        of_both = [item_history(session, one, None, desk.policy)[-1].step for one in (closed, asked)]
    gone, suggested = (item_step(step, PLAIN) for step in of_both)
    assert gone == "Closed unanswered when v1 went live."
    assert suggested.startswith("v1 went live and says billing error (")


def test_the_items_come_in_pieces(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.review.renewal.PIECE", 2)
    seeded(desk)
    items = [desk.ticket(text=f"{PARCEL} {number}", chances=UNSURE) for number in range(5)]
    promoted(desk)
    with desk.database.reading() as session:
        assert [one.item_id for one in waiting_items(session, "support", "v1", items[1])] == items[2:4]
    renewed(desk)
    assert all(since(desk, item_id) for item_id in items)
