"""The lot that is held back from training while a queue has a promise: a random sample of what a rule flags."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core.intake.cuts import store_cut
from core.intake.reasons.base import FlagReason, Scored
from core.intake.reasons.table import flag_probability, held_back_probability, reasons_to_review
from core.intake.waiting import open_next
from core.learning.data.snapshots import gather
from core.records.predictions import Flag, Prediction
from core.records.reviews import ReviewItem
from core.vocabulary import Destination, Reason
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NOW, REFUND, SURE, UNSURE, Desk, sent
from tests.people import ANA, BEN, support_policy

PROMISED: dict[str, Any] = {"budget": "500 a day", "promise": "2%", "audit_share": 1e-9, "held_back_share": 0.5}


def scored(draw: float = 0.99, held: float = 0.0, cut: float = 0.4) -> Scored:
    return Scored(REFUND, 0.5, 0.4, draw, held, cut)


def filled(desk: Desk, rows: int = 60, chances: dict[str, float] = UNSURE) -> Desk:
    desk.ingest(*(sent(chances=chances) for _ in range(rows)))
    with desk.database.transaction() as session:
        store_cut(session, desk.rules, "sender-1", [0.5] * 200, {}, NOW)
        open_next(session, desk.rules, NOW)
    return desk


def predictions(desk: Desk, reason: Reason | None = None) -> Sequence[Prediction]:
    with desk.database.reading() as session:
        found = select(Prediction).order_by(Prediction.id)
        if reason is not None:
            found = found.join(Flag).where(Flag.reason == reason)
        return session.scalars(found).all()


def item_of(desk: Desk, prediction: Prediction) -> ReviewItem:
    with desk.database.reading() as session:
        return session.scalars(select(ReviewItem).where(ReviewItem.prediction_id == prediction.id)).one()


def test_only_what_a_rule_flags_is_drawn_and_only_with_a_promise() -> None:
    policy = support_policy(flagging=PROMISED).queues[0]
    lot, rule = FlagReason(Reason.HELD_BACK, {"share": 0.5}, 0.5), Reason.UNCERTAIN
    assert reasons_to_review(scored(), policy)[0] == lot
    assert [each.reason for each in reasons_to_review(scored(held=0.5), policy)] == [rule]
    assert reasons_to_review(scored(cut=0.6), policy) == ()
    no_promise = support_policy(flagging=PROMISED | {"promise": ""}).queues[0]
    assert [each.reason for each in reasons_to_review(scored(), no_promise)] == [rule]
    no_budget = support_policy(flagging=PROMISED | {"budget": ""}).queues[0]
    assert Reason.HELD_BACK not in [each.reason for each in reasons_to_review(scored(), no_budget)]


def test_the_probability_is_that_of_the_draw_whether_it_fell_on_the_row_or_not() -> None:
    policy = support_policy(flagging=PROMISED).queues[0]
    for held in (0.0, 0.9):
        reasons = reasons_to_review(scored(held=held), policy)
        assert held_back_probability(reasons, policy) == 0.5
        assert flag_probability(reasons, policy) == 1e-9
    assert held_back_probability((), policy) == 0.0


@pytest.mark.slow
def test_about_half_are_drawn_by_their_content_and_shown_first_and_blind(open_desk: OpenDesk) -> None:
    desk = filled(open_desk(flagging=PROMISED, review={"blind_share": 0.0}))
    drawn = predictions(desk, Reason.HELD_BACK)
    assert 16 <= len(drawn) <= 44
    assert {row.held_back_probability for row in predictions(desk)} == {0.5}
    items = [item_of(desk, row) for row in drawn]
    others = [item_of(desk, row) for row in predictions(desk) if row.id not in {one.id for one in drawn}]
    assert all(item.blind for item in items)
    assert not any(item.blind for item in others)
    assert max(item.id for item in items) < min(item.id for item in others)


def test_what_no_rule_flags_is_never_held_back(open_desk: OpenDesk) -> None:
    desk = filled(open_desk(flagging=PROMISED | {"budget": "20%"}), rows=0)
    desk.ingest(sent(chances=SURE))
    [row] = predictions(desk)
    assert (row.held_back_probability, predictions(desk, Reason.HELD_BACK)) == (0.0, [])


@pytest.mark.slow
@pytest.mark.parametrize("answer", [REFUND, BILLING])
def test_it_never_trains_and_is_no_golden_example(open_desk: OpenDesk, answer: str) -> None:
    """Whether the model was right or wrong, nor by way of a repeat of its text."""
    desk = filled(open_desk(flagging=PROMISED | {"held_back_share": 1.0}, golden={"random_share": 1.0}), rows=1)
    [row] = predictions(desk)
    item = item_of(desk, row)
    for person in (ANA, BEN):
        desk.click(person, item.id, answer)
    assert desk.correction(item.id).destination is Destination.HELD_OUT
    filled(desk, rows=0)
    desk.ingest(sent(row.text), now=NOW + timedelta(minutes=1))
    with desk.database.transaction() as session:
        open_next(session, desk.rules, NOW + timedelta(minutes=1))
        assert gather(session, desk.queue().id, desk.rules) == []
    again = item_of(desk, predictions(desk)[-1])
    for person in (ANA, BEN):
        desk.click(person, again.id, answer)
    assert desk.correction(again.id).destination is Destination.HELD_OUT
