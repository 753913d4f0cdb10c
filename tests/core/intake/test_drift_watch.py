"""Daily readings of a queue, and what leads are told when a day differs from those before."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from core.delivery.recipients import leads_of
from core.intake.cuts import store_cut
from core.intake.daily_readings import (
    read_day,
    readings,
    settled_later,
    store_day,
    unread_day,
    weekday_of,
    whole_days,
)
from core.intake.drift_card import DriftCard, drift_card
from core.intake.drift_watch import due_look, last_alarm, note_look
from core.intake.drifting import drifting_labels
from core.intake.predictions import NewPrediction
from core.offers.targets import target_of_alarm
from core.privacy.erasure import erase
from core.quality.drift import BINS, DayCounts
from core.records.delivery import Posting
from core.records.drift import DailyReading, DriftAlarm
from core.records.learning import TrainingRun
from core.records.predictions import WaitingPrediction
from core.vocabulary import Card, DriftSign, Reason, Trigger
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NONE, NOW, REFUND, SURE, UNSURE, Desk, sent
from tests.core.models import promoted, seeded
from tests.people import ANA, BEN

DAY = timedelta(days=1)
TOMORROW = NOW + DAY
USUAL = DayCounts(0, 100, "sender-1", 1, {REFUND: 20}, {REFUND: 3}, (0,) * (BINS - 1) + (100,))


def read(desk: Desk, now: datetime = TOMORROW) -> int:
    """What the worker's steps read. Returns the number of days."""
    days = 0
    while True:
        with desk.database.transaction() as session:
            day = unread_day(session, desk.rules, now)
            if day is None:
                return days
            counts = read_day(session, desk.queue().id, day, weekday_of(day[0], desk.rules))
            store_day(session, desk.queue().id, day[0], counts)
            days += 1


def known(desk: Desk, now: datetime = TOMORROW) -> list[DayCounts]:
    with desk.database.reading() as session:
        return [counts for _began, counts in readings(session, desk.queue().id, desk.rules, now)]


def with_history(desk: Desk, days: int = 30, **changed: Any) -> Desk:
    """Quiet days before today."""
    with desk.database.transaction() as session:
        for began, _ended in whole_days(desk.rules, NOW)[-days:]:
            counts = DayCounts(**{**vars(USUAL), **changed, "weekday": 0})
            store_day(session, desk.queue().id, began, counts)
    return desk


def look(desk: Desk, now: datetime = TOMORROW) -> bool:
    with desk.database.reading() as session:
        due = due_look(session, desk.rules, now)
    if due is None:
        return False
    with desk.database.transaction() as session:
        return note_look(session, desk.rules, due, due.found(desk.rules), now)


def strange_day(desk: Desk, rows: int = 10, now: datetime = NOW) -> list[int]:
    """Texts for which no label fits, among a usual day's traffic."""
    desk.ingest(*(sent(chances=SURE) for _ in range(100 - rows)), now=now)
    return [desk.settled(ANA, BEN, answer=NONE, now=now) for _ in range(rows)]


def alarms(desk: Desk) -> list[DriftAlarm]:
    with desk.database.reading() as session:
        return list(session.scalars(select(DriftAlarm).order_by(DriftAlarm.id)))


def card(desk: Desk, alarm_id: int) -> DriftCard:
    with desk.database.reading() as session:
        return drift_card(session, alarm_id, desk.policy)


def test_a_day_is_read_once_it_has_ended(desk: Desk) -> None:
    desk.ingest(sent(chances=SURE), sent(chances=SURE), sent(chances={REFUND: 1.0}))
    desk.settled(ANA, BEN, answer=REFUND)
    desk.settled(ANA, BEN, answer=NONE)
    assert read(desk, NOW) == 0
    assert read(desk) == 1
    [counts] = known(desk)
    assert (counts.weekday, counts.rows, counts.model) == (NOW.weekday(), 5, "sender-1")
    assert (counts.none_of_these, counts.settled, counts.wrong) == (1, {REFUND: 2}, {REFUND: 1})
    assert {place: n for place, n in enumerate(counts.confidences) if n} == {10: 2, 19: 3}
    assert read(desk) == 0


def test_days_without_traffic_are_read_too_and_not_those_before_the_first(desk: Desk) -> None:
    desk.ingest(sent(chances=SURE))
    assert read(desk, NOW + 4 * DAY) == 4
    assert [counts.rows for counts in known(desk, NOW + 4 * DAY)] == [1, 0, 0, 0]
    assert known(desk, NOW + 4 * DAY)[1].model is None


def test_a_day_is_one_of_the_queues_time_zone(open_desk: OpenDesk) -> None:
    desk = open_desk(time_zone="Pacific/Auckland")
    desk.ingest(sent(chances=SURE), now=datetime(2026, 11, 24, 10, 30, tzinfo=NOW.tzinfo))
    desk.ingest(sent(chances=SURE), now=datetime(2026, 11, 24, 11, 30, tzinfo=NOW.tzinfo))
    read(desk, NOW + 2 * DAY)
    assert [counts.rows for counts in known(desk, NOW + 2 * DAY)] == [1, 1]


def test_an_erased_row_still_counts_and_a_report_alone_does_not(desk: Desk) -> None:
    lost = desk.prediction(desk.settled(ANA, BEN, answer=BILLING)).external_id
    desk.flag(NewPrediction("C1:1", "sender-1", "never sent", label=REFUND, confidence=0.9))
    with desk.database.transaction() as session:
        erase(session, desk.rules.name, lost, NOW)
    read(desk)
    [counts] = known(desk)
    assert (counts.rows, counts.settled, counts.wrong) == (1, {REFUND: 1}, {REFUND: 1})


def test_what_is_settled_later_counts_on_the_day_on_which_its_row_came(desk: Desk) -> None:
    item_id = with_history(desk).ticket()
    read(desk)
    assert known(desk)[-1].settled == {}
    for person in (ANA, BEN):
        desk.click(person, item_id, BILLING, now=TOMORROW)
    look(desk)
    assert known(desk)[-1].wrong == {REFUND: 1}


@pytest.mark.slow
def test_the_leads_are_told_once_of_texts_for_which_no_label_fits(desk: Desk) -> None:
    items = strange_day(with_history(desk))
    read(desk)
    assert look(desk)
    assert not look(desk)
    [alarm] = alarms(desk)
    assert alarm.signs[0]["sign"] == DriftSign.NONE_OF_THESE
    assert alarm.labels == {REFUND: DriftSign.NONE_OF_THESE}, "the model calls all of them so"
    assert desk.wanted(Card.DRIFT, alarm.id) == desk.wanted(Card.DRIFT_CHART, alarm.id) == 1
    with desk.database.reading() as session:
        posting = session.scalars(select(Posting).where(Posting.card == Card.DRIFT)).one()
        assert posting.recipient == leads_of(desk.queue()).id
        assert last_alarm(session, desk.queue().id) == TOMORROW
    shown = card(desk, alarm.id)
    assert shown.items == tuple(sorted(items, reverse=True))
    assert [value for _began, value in shown.days][-2:] == [0.0, 0.1]
    assert shown.run_id is None


def test_items_show_the_most_certain_sign_that_has_some(desk: Desk) -> None:
    item_id = desk.settled(ANA, BEN, answer=NONE)
    signs = [
        {"sign": sign, "label": None, "days": 1, "observed": 1, "expected": 0.1, "p_value": 1e-9}
        for sign in (DriftSign.CONFIDENCE, DriftSign.NONE_OF_THESE)
    ]
    with desk.database.transaction() as session:
        alarm = DriftAlarm(
            queue_id=desk.queue().id, began_at=NOW, signs=signs, policy_fingerprint="", created_at=TOMORROW
        )
        session.add(alarm)
        session.flush()
        alarm_id, foreign = alarm.id, target_of_alarm(session, alarm).foreign
    shown = card(desk, alarm_id)
    assert shown.shown is not None
    assert (shown.shown.sign, shown.items, foreign) == (DriftSign.NONE_OF_THESE, (item_id,), True)


@pytest.mark.slow
def test_after_an_alarm_the_new_state_is_learned(desk: Desk) -> None:
    strange_day(with_history(desk))
    read(desk)
    assert look(desk)
    strange_day(desk, now=TOMORROW)
    read(desk, TOMORROW + DAY)
    assert not look(desk, TOMORROW + DAY)
    assert len(alarms(desk)) == 1


def drifting(desk: Desk, now: datetime) -> dict[str, DriftSign]:
    with desk.database.reading() as session:
        return dict(drifting_labels(session, desk.queue().id, desk.rules, now))


def alarmed(desk: Desk, now: datetime = NOW, **labels: DriftSign) -> None:
    with desk.database.transaction() as session:
        session.add(
            DriftAlarm(queue_id=desk.queue().id, began_at=now, signs=[], labels=labels, policy_fingerprint="",
                       created_at=now)
        )  # fmt: skip


def test_for_a_week_the_labels_of_an_alarm_wait_for_the_rest_of_the_budget(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"budget": "1%", "audit_share": 1e-9})
    with desk.database.transaction() as session:
        store_cut(session, desk.rules, "sender-1", [0.5] * 200, {}, NOW)
    assert drifting(desk, NOW) == {}
    alarmed(desk, refund=DriftSign.CORRECTIONS)
    alarmed(desk, NOW + DAY, billing=DriftSign.NONE_OF_THESE)
    assert drifting(desk, NOW + 7 * DAY) == {"refund": DriftSign.CORRECTIONS, "billing": DriftSign.NONE_OF_THESE}
    assert drifting(desk, NOW + 7.5 * DAY) == {"billing": DriftSign.NONE_OF_THESE}
    desk.ingest(sent(chances=SURE), sent(chances={BILLING: 0.95, REFUND: 0.05}))
    with desk.database.reading() as session:
        waiting = session.execute(select(WaitingPrediction.reason, WaitingPrediction.values)).all()
    assert [tuple(one) for one in waiting] == [(Reason.DRIFT, {"label": REFUND, "sign": DriftSign.CORRECTIONS})]
    assert drifting(desk.under(flagging={"budget": "1%", "drift": False}), NOW) == {}
    assert drifting(desk.under(flagging={}), NOW) == {}, "there is no budget"


@pytest.mark.slow
def test_another_model_ends_what_an_alarm_asked_for(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(flagging={"budget": "1 a day"}))
    alarmed(desk, NOW - DAY, refund=DriftSign.CORRECTIONS)
    assert drifting(desk, NOW)
    promoted(desk)
    assert drifting(desk, NOW) == {}


def test_an_alarm_about_corrections_requests_a_run_where_the_policy_says_so(open_desk: OpenDesk) -> None:
    desk = with_history(open_desk(drift={"retrain": True}), none_of_these=0)
    desk.ingest(*(sent(chances=SURE) for _ in range(88)))
    for _ in range(12):
        desk.settled(ANA, BEN, answer=BILLING)
    read(desk)
    assert look(desk)
    [alarm] = alarms(desk)
    assert DriftSign.CORRECTIONS in [sign["sign"] for sign in alarm.signs]
    assert alarm.labels == {REFUND: DriftSign.CORRECTIONS}
    with desk.database.reading() as session:
        [run] = session.scalars(select(TrainingRun))
        assert (run.trigger, run.id) == (Trigger.DRIFT, alarm.run_id)


def test_what_no_model_can_learn_requests_no_run(open_desk: OpenDesk) -> None:
    """Nothing came: there is an alarm about the volume."""
    desk = with_history(open_desk(drift={"retrain": True}))
    desk.ingest(sent(chances=SURE))
    read(desk)
    assert look(desk)
    [alarm] = alarms(desk)
    assert ([sign["sign"] for sign in alarm.signs], alarm.run_id) == ([DriftSign.VOLUME], None)
    assert card(desk, alarm.id).items == ()


def test_without_a_level_there_are_readings_and_no_alarms(open_desk: OpenDesk) -> None:
    desk = with_history(open_desk(drift={"level": 0}))
    desk.ingest(sent(chances=SURE))
    assert read(desk) == 1
    assert not look(desk)


def test_two_workers_that_look_at_the_same_day_raise_one_alarm(desk: Desk) -> None:
    desk = with_history(desk)
    desk.ingest(sent(chances=SURE))
    read(desk)
    with desk.database.reading() as session:
        due = due_look(session, desk.rules, TOMORROW)
    assert due is not None
    for told in (True, False):
        with desk.database.transaction() as session:
            assert note_look(session, desk.rules, due, due.found(desk.rules), TOMORROW) is told
    assert len(alarms(desk)) == 1


def test_a_clock_that_was_set_back_raises_no_second_alarm(desk: Desk) -> None:
    desk = with_history(desk)
    desk.ingest(sent(chances=SURE))
    read(desk)
    assert look(desk)
    assert not look(desk, NOW)
    assert not look(desk)
    assert len(alarms(desk)) == 1


def test_a_queue_without_traffic_says_nothing(desk: Desk) -> None:
    assert read(desk) == 0
    assert not look(desk)
    assert known(desk) == []


@pytest.mark.slow
def test_a_promotion_is_seen_by_the_version_that_answers(desk: Desk) -> None:
    live = seeded(desk)
    promoted(live)
    live.ingest(sent(chances=UNSURE, model_version="v1"), now=NOW)
    read(live)
    assert known(live)[-1].model == "v1"


def test_reading_writes_nothing_and_locks_nothing(desk: Desk) -> None:
    desk.ingest(sent(chances=SURE))
    seen: list[str] = []
    with desk.database.reading() as session:
        event.listen(desk.database.engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
        day = unread_day(session, desk.rules, TOMORROW)
        assert day is not None
        read_day(session, desk.queue().id, day, 0)
        settled_later(session, desk.rules, TOMORROW)
    assert seen
    assert not [statement for statement in seen if "FOR UPDATE" in statement or statement.startswith(("INS", "UPD"))]
    with desk.database.reading() as session:
        assert session.scalar(select(DailyReading.rows)) is None
