"""The clock is put back an hour, or forward: nothing waits for the old time to come round again, nothing is doubled."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from slack_sdk import WebClient
from sqlalchemy import delete, select

from bot.observability.liveness import Liveness
from bot.runtime.services import assemble
from bot.worker.clock_watch import repair_times
from bot.worker.scheduler import is_too_early
from bot.worker.tasks import DAY, PeriodicTask
from core import jobs
from core.delivery import outbox, webhooks
from core.delivery.card_refs import CardRef
from core.delivery.outbox import Due
from core.errors import Outdated
from core.policy.retraining import RetrainingPolicy
from core.records.jobs import Job
from core.records.webhooks import DeliveryAttempt, Event, EventDelivery
from core.review.votes import NewAnswer, cast_vote
from core.storage import leases
from core.storage.database import Database
from core.vocabulary import AnswerKind, EventKind
from tests.core.desk import BILLING, DELIVERY, NOW, REFUND, Desk, opened
from tests.people import ANA, support_policy

pytestmark = pytest.mark.slow  # a fitted model or a process in most of them


HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
BACK = NOW - HOUR  # what the clock says after it was put back
FORWARD = NOW + HOUR
AT_NINE = RetrainingPolicy(cron="0 9 * * *").latest_slot


@pytest.fixture
def desk(database: Database) -> Desk:
    return opened(database, support_policy())


def put_right(desk: Desk, now: datetime) -> None:
    """As a worker does when it starts and when its clock was set."""
    repair_times(replace(assemble(desk.database, WebClient(), desk.policy), clock=lambda: now))


def claimed_card(desk: Desk, now: datetime, worker: str = "two") -> Due | None:
    with desk.database.transaction() as session:
        return outbox.claim_next(session, worker, now, may_update=True, may_update_open=True, full_channels=[])


def claimed_job(desk: Desk, now: datetime, worker: str = "two") -> jobs.Claim | None:
    with desk.database.transaction() as session:
        return jobs.claim(session, "train", worker, now)


def reaped(desk: Desk, now: datetime) -> None:
    with desk.database.transaction() as session:
        jobs.reap(session, now, lambda _name: False)


def enqueued(desk: Desk) -> None:
    with desk.database.transaction() as session:
        jobs.enqueue(session, "train", "train:1", {}, NOW)


def test_a_card_that_was_requested_before_the_clock_was_put_back_is_due_at_once(desk: Desk) -> None:
    desk.ticket()
    assert claimed_card(desk, BACK) is not None


def test_a_card_that_failed_before_the_clock_was_put_back_is_due_after(desk: Desk) -> None:
    desk.ticket()
    due = claimed_card(desk, NOW)
    assert due is not None
    with desk.database.transaction() as session:
        outbox.mark_failed(session, due.id, NOW)
    assert claimed_card(desk, BACK) is None
    put_right(desk, BACK)
    assert claimed_card(desk, BACK) is not None


def test_a_card_that_a_dead_worker_had_claimed_is_free_within_a_minute_and_not_at_once(desk: Desk) -> None:
    desk.ticket()
    assert claimed_card(desk, NOW, "one") is not None
    put_right(desk, BACK)
    assert claimed_card(desk, BACK) is None, "the first may be posting it at this moment"
    assert claimed_card(desk, BACK + leases.LEASE + SECOND) is not None


def test_a_pause_that_is_meant_stays(desk: Desk) -> None:
    desk.ticket()
    due = claimed_card(desk, NOW)
    assert due is not None
    with desk.database.transaction() as session:
        outbox.mark_failed(session, due.id, NOW, retry_after=120)
    put_right(desk, NOW + SECOND)
    assert claimed_card(desk, NOW + 119 * SECOND) is None
    assert claimed_card(desk, NOW + 121 * SECOND) is not None


def test_an_event_for_other_systems_goes_out_after_the_clock_was_put_back(desk: Desk) -> None:
    queue = desk.queue()
    with desk.database.transaction() as session:
        webhooks.publish(session, EventKind.ITEM_SETTLED, 1, queue.id, {}, NOW)
        [event_id] = session.scalars(select(Event.id))
        session.add(EventDelivery(event_id=event_id, endpoint="desk", next_attempt_at=NOW))
    put_right(desk, BACK)
    with desk.database.reading() as session:
        assert session.scalars(select(EventDelivery.next_attempt_at)).one() == BACK


def test_an_event_that_was_refused_is_sent_again_as_soon_as_if_the_clock_had_not_been_put_back(desk: Desk) -> None:
    assert [_next_try_of_a_refused_event(desk, seen_at) for seen_at in (NOW, BACK)] == [NOW + 2 * HOUR, BACK]


def _next_try_of_a_refused_event(desk: Desk, seen_at: datetime) -> datetime:
    """Its endpoint asked for two hours at NOW; the worker looks at `seen_at`."""
    with desk.database.transaction() as session:
        webhooks.publish(session, EventKind.ITEM_SETTLED, desk.queue().id, desk.queue().id, {"at": str(seen_at)}, NOW)
        event_id = session.scalars(select(Event.id)).one()
        session.execute(delete(DeliveryAttempt))
        session.execute(delete(EventDelivery))
        delivery = EventDelivery(event_id=event_id, endpoint="desk", next_attempt_at=NOW)
        session.add(delivery)
        session.flush()
        webhooks.note_attempt(session, delivery.id, webhooks.Attempted(503, "busy", 5, retry_after=7200), NOW)
    put_right(desk, seen_at)
    with desk.database.reading() as session:
        return session.scalars(select(EventDelivery.next_attempt_at)).one()


def test_a_job_that_waited_before_the_clock_was_put_back_is_taken_after(desk: Desk) -> None:
    enqueued(desk)
    assert claimed_job(desk, BACK) is None
    put_right(desk, BACK)
    assert claimed_job(desk, BACK) is not None


def test_a_living_workers_job_stays_its_own_and_a_dead_ones_is_taken_over_in_seconds(desk: Desk) -> None:
    enqueued(desk)
    first = claimed_job(desk, NOW, "one")
    assert first is not None
    put_right(desk, BACK)
    reaped(desk, BACK)
    with desk.database.transaction() as session:
        assert jobs.renew(session, first, BACK + SECOND), "alive, so no other worker may have it"
    reaped(desk, BACK + SECOND + jobs.LEASE)
    assert claimed_job(desk, BACK + SECOND + jobs.LEASE) is not None, "it was not renewed any more"


def test_a_clock_put_forward_gives_a_job_away_and_it_is_done_once(desk: Desk) -> None:
    enqueued(desk)
    first = claimed_job(desk, NOW, "one")
    reaped(desk, FORWARD)
    second = claimed_job(desk, FORWARD)
    assert first is not None
    assert second is not None
    with desk.database.transaction() as session:
        jobs.finish(session, second)
    with pytest.raises(jobs.LostLease), desk.database.transaction() as session:
        jobs.finish(session, first)


def test_a_form_counts_when_it_is_sent_whatever_our_own_clock_says(desk: Desk) -> None:
    item_id = desk.ticket()
    opened_at, clicked_since, clicked_later = 1000, 2000, 3000
    desk.click(ANA, item_id, REFUND, at=clicked_since)
    with desk.database.transaction() as session:
        form = NewAnswer(AnswerKind.LABEL, opened_at, BILLING, in_form=True)
        assert cast_vote(session, CardRef(item_id), ANA, form, BACK, desk.policy).before == REFUND
    assert desk.click(ANA, item_id, DELIVERY, at=clicked_later, now=FORWARD).before == BILLING
    with pytest.raises(Outdated):
        desk.click(ANA, item_id, REFUND, at=clicked_since + 1)


def test_a_slot_of_the_schedule_is_one_run_however_the_clock_is_set(desk: Desk) -> None:
    def look(now: datetime) -> int:
        with desk.database.transaction() as session:
            jobs.enqueue_due(session, "retrain", AT_NINE, "scheduled_run", {}, now)
        with desk.database.reading() as session:
            return len(session.scalars(select(Job.id)).all())

    assert look(NOW - SECOND) == 0
    assert look(NOW + SECOND) == 1
    assert look(BACK) == 1
    assert look(NOW + 2 * SECOND) == 1, "nine o'clock again"
    assert look(NOW + timedelta(days=1, seconds=1)) == 2


def test_a_schedule_that_was_looked_at_by_a_clock_ahead_goes_on_from_now(desk: Desk) -> None:
    with desk.database.transaction() as session:
        for now in (NOW - SECOND, NOW + timedelta(days=30)):
            jobs.enqueue_due(session, "retrain", AT_NINE, "scheduled_run", {}, now)
        jobs.repair_times(session, NOW + 2 * SECOND)
        before = len(session.scalars(select(Job.id)).all())
        jobs.enqueue_due(session, "retrain", AT_NINE, "scheduled_run", {}, NOW + timedelta(days=1, seconds=1))
        assert len(session.scalars(select(Job.id)).all()) == before + 1


def test_daily_tasks_do_not_run_because_the_clock_was_set() -> None:
    steady = 100.0
    signs = Liveness(lambda: steady)
    daily, often = PeriodicTask("retention", DAY, lambda _: False), PeriodicTask("deliver", 0.25, lambda _: False)
    assert not is_too_early(daily, signs), "it never was"
    for kind in (daily, often):
        signs.ticked(kind.name)
    assert (is_too_early(daily, signs), is_too_early(often, signs)) == (True, False)
    steady += DAY
    assert not is_too_early(daily, signs)
