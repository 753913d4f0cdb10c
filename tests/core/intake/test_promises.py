"""A queue's promise from hour to hour, on stored rows: what it says, what it asks for, and a lead's yes."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from core.errors import Invalid
from core.intake.cuts import store_cut
from core.intake.promise_sample import PromiseSample, promise_sample
from core.intake.promises import PromiseWork, agree, promise_work, store_promise
from core.intake.waiting import open_next
from core.privacy.erasure import erase
from core.quality.promise import ALWAYS_UNSEEN, REVIEW_NONE, SampledStratum
from core.records.drift import DriftAlarm
from core.records.learning import Live
from core.records.predictions import FlagCut
from core.records.reviews import ReviewItem
from core.review.budget_reading import budget_reading
from core.review.promise_reading import PromiseReading, promise_reading
from core.vocabulary import PromiseStatus
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NOW, REFUND, SURE, Desk, sent
from tests.people import ANA, BEN, CLEO

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LATER = NOW + 3 * DAY
PROMISED: dict[str, Any] = {"budget": "1%", "promise": "50%", "audit_share": 0.999999}


@pytest.fixture
def promising(open_desk: OpenDesk) -> Desk:
    """A desk that audits everything, with its first cut."""
    desk = open_desk(flagging=PROMISED)
    return cut(desk, NOW)


def cut(desk: Desk, now: Any) -> Desk:
    with desk.database.transaction() as session:
        store_cut(session, desk.rules, "sender-1", [0.05] * 100, {}, now)
    return desk


def audited(desk: Desk, *answers: str | None) -> Desk:
    """A row for each, let pass by the rule; people settle this label, or nothing (None)."""
    roomy = desk.under(flagging=PROMISED | {"budget": "500 a day"}).rules
    for answer in answers:
        row = sent(chances=SURE)
        desk.ingest(row)
        with desk.database.transaction() as session:
            session.get_one(FlagCut, desk.queue().id).volume = 100
            open_next(session, roomy, NOW)
        if answer is not None:
            for person in (ANA, BEN):
                desk.click(person, _newest_item(desk), answer)
    return desk.under(flagging=PROMISED)


def _newest_item(desk: Desk) -> int:
    with desk.database.reading() as session:
        return session.scalar(select(func.max(ReviewItem.id))) or 0


def work(desk: Desk, now: Any = LATER) -> PromiseWork | None:
    with desk.database.reading() as session:
        return promise_work(session, desk.rules, now)


def look(desk: Desk, now: Any = LATER) -> PromiseReading:
    found = work(desk, now)
    with desk.database.transaction() as session:
        if found is not None:
            store_promise(session, desk.rules, found, {}, now)
    with desk.database.reading() as session:
        reading = promise_reading(session, desk.queue().id, desk.rules, now)
    assert reading is not None
    return reading


def sample(desk: Desk, now: Any = LATER) -> PromiseSample:
    found = work(desk, now)
    assert found is not None
    return found.sample


def test_before_there_is_a_number_nothing_is_said(promising: Desk) -> None:
    reading = look(promising)
    assert (reading.status, reading.audits, reading.needed) == (PromiseStatus.NOT_YET, 0, 4)


def test_the_days_to_go_begin_when_the_first_audits_count(promising: Desk) -> None:
    """A hundred a day are drawn, four are missing, and none counts before its third day."""
    with promising.database.transaction() as session:
        session.get_one(FlagCut, promising.queue().id).volume = 100
    reading = look(promising)
    assert (reading.audits, reading.needed, reading.days) == (0, 4, 4)


def test_a_queue_without_a_promise_says_nothing(open_desk: OpenDesk) -> None:
    desk = cut(open_desk(flagging={"budget": "1 a day"}), NOW)
    assert work(desk) is None
    with desk.database.reading() as session:
        assert promise_reading(session, desk.queue().id, desk.rules, NOW) is None


@pytest.mark.slow
def test_right_audits_of_three_days_keep_it(promising: Desk) -> None:
    desk = audited(promising, *[REFUND] * 5)
    young = sample(desk, NOW + 2 * DAY)
    assert (dict(young.counts), young.rows) == ({}, ())
    assert sample(desk).strata({}).accepted == SampledStratum(5, 5, ())
    reading = look(desk)
    assert (reading.status, reading.audits, reading.needed) == (PromiseStatus.KEPT, 5, 4)
    assert reading.within_budget is not None
    assert reading.within_budget < 0.5


@pytest.mark.slow
def test_wrong_and_unsettled_audits_count_as_wrong(promising: Desk) -> None:
    strata = sample(audited(promising, REFUND, BILLING, None)).strata({})
    assert strata.accepted.sampled == 3
    assert strata.accepted.wrong == pytest.approx((0.05, 0.05))


@pytest.mark.slow
def test_more_than_the_budget_is_asked_for_only_after_a_leads_yes(promising: Desk) -> None:
    """Half of the audits are wrong, so that everything as unsure as they are has to be looked at."""
    desk = audited(promising, *[REFUND, BILLING] * 4)
    reading = look(desk)
    assert (reading.status, reading.agreed) == (PromiseStatus.ABOVE_BUDGET, None)
    assert reading.within_budget is not None
    assert reading.within_budget > 0.5
    state_cut = _cut_after(desk)
    assert state_cut == REVIEW_NONE, "the budget decides"
    with desk.database.transaction() as session, pytest.raises(Invalid, match="no number of items to say yes to"):
        agree(session, desk.rules, 3, CLEO, LATER)


@pytest.mark.slow
def test_a_yes_moves_the_cut_and_the_days_room(promising: Desk) -> None:
    desk = audited(promising, *[REFUND, BILLING] * 4)
    desk.ingest(*(sent(chances=SURE) for _ in range(100)))
    with desk.database.transaction() as session:
        session.get_one(FlagCut, desk.queue().id).volume = 100
    reading = look(desk, NOW + 3 * DAY)
    assert reading.items_a_day == 100
    for too_few in (1, 99):
        with desk.database.transaction() as session, pytest.raises(Invalid, match="needs 100 items a day"):
            agree(session, desk.rules, too_few, CLEO, LATER)
    with desk.database.transaction() as session:
        agree(session, desk.rules, 100, CLEO, LATER)
    assert _cut_after(desk) == pytest.approx(0.05)
    with desk.database.transaction() as session:
        assert open_next(session, desk.rules, LATER) > 1
    with desk.database.reading() as session:
        budget = budget_reading(session, desk.queue().id, desk.rules, LATER)
    assert budget is not None
    assert budget.asked == 100, "1 % of the volume would be one item"
    assert look(desk, LATER + HOUR).agreed == 100
    other = desk.under(flagging=PROMISED | {"promise": "40%"})
    assert look(other, LATER + HOUR).agreed is None, "it was said to another promise"


def _cut_after(desk: Desk) -> float:
    cut(desk, LATER)
    with desk.database.reading() as session:
        return session.get_one(FlagCut, desk.queue().id).cut


def test_it_is_looked_at_once_an_hour_and_after_a_clock_was_set_back(promising: Desk) -> None:
    look(promising)
    assert work(promising, LATER + HOUR / 2) is None
    assert work(promising, LATER + HOUR) is not None
    assert work(promising, LATER - HOUR) is not None


@pytest.mark.slow
def test_an_alarm_of_drift_begins_it_anew(promising: Desk) -> None:
    desk = audited(promising, *[REFUND] * 5)
    first = look(desk)
    assert (first.status, first.alarm) == (PromiseStatus.KEPT, None)
    with desk.database.transaction() as session:
        session.add(
            DriftAlarm(queue_id=desk.queue().id, began_at=LATER, signs=[], policy_fingerprint="", created_at=LATER)
        )
    reading = look(desk, LATER + 2 * HOUR)
    assert (reading.status, reading.audits) == (PromiseStatus.NOT_YET, 0)
    assert reading.alarm == LATER.astimezone(desk.rules.zone).date()
    with desk.database.transaction() as session:
        session.get_one(Live, desk.queue().id).changed_at = LATER + 3 * HOUR
    reading = look(desk, LATER + 4 * HOUR)
    assert (reading.audits, reading.alarm) == (0, LATER.astimezone(desk.rules.zone).date()), "after a promotion, too"


@pytest.mark.slow
def test_what_another_model_answered_counts_as_wrong_until_the_present_one_has(promising: Desk) -> None:
    """An erased row stays so: its text is gone."""
    desk = audited(promising, REFUND, REFUND)
    rows = sample(desk).rows
    with desk.database.transaction() as session:
        erase(session, desk.rules.name, desk.prediction(1).external_id, NOW)
    with desk.database.reading() as session:
        found = promise_sample(session, desk.queue().id, "v2", NOW - DAY, LATER)
    assert [row.unscored is None for row in found.rows] == [True, False]
    kept = {rows[1].prediction_id: (REFUND, 0.1)}
    assert found.strata({}).accepted.wrong == (ALWAYS_UNSEEN, ALWAYS_UNSEEN)
    assert found.strata(kept).accepted.wrong == (ALWAYS_UNSEEN,)
