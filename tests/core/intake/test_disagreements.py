"""Predictions to which another model gives another label: they wait for the rest of the budget."""

from typing import Any

import pytest
from sqlalchemy import select

from core.intake.cuts import NEVER, store_cut
from core.intake.disagreements import flag_disagreements
from core.intake.predictions import NewPrediction
from core.intake.waiting import open_next
from core.privacy.erasure import erase
from core.records.predictions import Flag, FlagCut, Prediction, WaitingPrediction
from core.records.reviews import ReviewItem
from core.review.cards import item_card
from core.vocabulary import Reason
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NOW, REFUND, SURE, Desk, sent

BUDGET: dict[str, Any] = {"budget": "1 a day", "audit_share": 1e-9}
OTHER = {REFUND: 0.3, BILLING: 0.7}
SAME = {REFUND: 0.7, BILLING: 0.3}


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    """With a cut that no score reaches."""
    return with_cut(open_desk(flagging=BUDGET))


def with_cut(desk: Desk, cut: float = NEVER) -> Desk:
    with desk.database.transaction() as session:
        store_cut(session, desk.rules, "sender-1", [], {}, NOW)
        session.get_one(FlagCut, desk.queue().id).cut = cut
    return desk


def arrived(desk: Desk, **more: Any) -> int:
    row = sent(chances=SURE, **more)
    desk.ingest(row)
    with desk.database.reading() as session:
        return session.scalars(select(Prediction.id).where(Prediction.external_id == row["external_id"])).one()


def disagree(desk: Desk, *predictions: int, said: dict[str, float] = OTHER) -> int:
    with desk.database.transaction() as session:
        return flag_disagreements(session, "v2", dict.fromkeys(predictions, said), NOW, desk.rules)


def line(desk: Desk) -> list[tuple[int, str]]:
    with desk.database.reading() as session:
        found = select(WaitingPrediction.prediction_id, WaitingPrediction.reason).order_by(WaitingPrediction.id)
        return [(one, why) for one, why in session.execute(found)]


def spend(desk: Desk) -> list[int]:
    with desk.database.transaction() as session:
        open_next(session, desk.rules, NOW)
        return [int(one or 0) for one in session.scalars(select(ReviewItem.prediction_id).order_by(ReviewItem.id))]


def test_what_another_model_calls_otherwise_waits_once(desk: Desk) -> None:
    first, second = arrived(desk), arrived(desk)
    assert disagree(desk, second, said=SAME) == 0
    assert (disagree(desk, first), disagree(desk, first)) == (1, 0)
    assert line(desk) == [(first, Reason.DISAGREEMENT)]
    assert spend(desk) == [first]
    with desk.database.reading() as session:
        flag = session.scalars(select(Flag)).one()
        row = session.get_one(Prediction, first)
        [item_id] = session.scalars(select(ReviewItem.id))
        shown = item_card(session, item_id, desk.policy).why_flagged
        session.get_one(ReviewItem, item_id).blind = True
        session.flush()
        hidden = item_card(session, item_id, desk.policy).why_flagged
    assert (flag.reason, flag.values) == (Reason.DISAGREEMENT, {"label": BILLING, "model": "v2"})
    assert row.flag_probability == 1
    assert [one.why.code for one in shown] == [Reason.DISAGREEMENT]
    assert hidden == ()


def test_the_least_sure_come_before_it(desk: Desk) -> None:
    apart = arrived(desk)
    disagree(desk, apart)
    with_cut(desk, 0.0)
    unsure = arrived(desk)
    assert spend(desk) == [unsure]


def test_a_rules_row_a_persons_and_an_erased_one_stay_as_they_are(desk: Desk) -> None:
    reported, gone = arrived(desk), arrived(desk, external_id="T-gone")
    with desk.database.reading() as session:
        row = session.get_one(Prediction, reported)
        again = NewPrediction(row.external_id, row.model_version, row.text, label=row.label, confidence=row.confidence)
    desk.flag(again)
    with desk.database.transaction() as session:
        erase(session, desk.rules.name, "T-gone", NOW)
    with_cut(desk, 0.0)
    flagged = arrived(desk)
    assert disagree(desk, reported, gone, flagged) == 0
    assert line(desk) == [(flagged, Reason.UNCERTAIN)]


@pytest.mark.parametrize("flagging", [{}, BUDGET | {"disagreement": False}])
def test_without_a_budget_or_by_the_policy_nothing_waits_for_it(open_desk: OpenDesk, flagging: dict[str, Any]) -> None:
    desk = open_desk(flagging={"confidence": 0.0} | flagging)
    assert disagree(desk, arrived(desk)) == 0


def test_an_audited_row_waits_for_this_turn_too_and_the_lot_is_held_back(open_desk: OpenDesk) -> None:
    """Each row is audited and, as there is a promise, held back."""
    lots = {"audit_share": 1.0, "held_back_share": 1.0, "promise": "2%"}
    desk = with_cut(open_desk(flagging=BUDGET | lots))
    audited = arrived(desk)
    assert spend(desk) == [audited]
    assert disagree(desk, audited) == 1
    with desk.database.reading() as session:
        reasons = set(session.scalars(select(Flag.reason)))
        odds = session.get_one(Prediction, audited).held_back_probability
    assert (reasons, odds) == ({Reason.AUDIT, Reason.HELD_BACK}, 1.0)
    assert line(desk) == [(audited, Reason.AUDIT), (audited, Reason.DISAGREEMENT)]
