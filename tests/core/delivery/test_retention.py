"""Old rows of finished work are deleted; those that are still needed stay."""

from datetime import timedelta

from sqlalchemy import select

from core import jobs
from core.delivery import backlog, incidents, notices
from core.delivery.retention import forget_before
from core.intake.unknown_labels import count_unknown_labels, unknown_labels
from core.records.delivery import Incident, Notice
from core.records.jobs import Job
from core.records.webhooks import DeliveryAttempt, Event, EventDelivery
from core.vocabulary import DeliveryState, EventKind, NoticeKind
from tests.core.desk import NOW, Desk
from tests.people import LEADS

DAY = timedelta(days=1)


def ids(
    desk: Desk, *records: type[Notice | Incident | Job | Event | EventDelivery | DeliveryAttempt]
) -> list[list[int]]:
    with desk.database.reading() as session:
        return [sorted(session.scalars(select(record.id))) for record in records]


def test_notices_that_were_said_and_troubles_that_were_mended_go_and_open_ones_stay(desk: Desk) -> None:
    with desk.database.transaction() as session:
        for key in ("old", "new", "waits", "given up"):
            notices.notify(session, NoticeKind.DECISION_PENDING, key, LEADS, None, {}, NOW - 100 * DAY)
        session.flush()
        old, new, _waits, given_up = session.scalars(select(Notice).order_by(Notice.id))
        notices.mark_delivered(session, old.id, NOW - 91 * DAY)
        notices.mark_delivered(session, new.id, NOW - 89 * DAY)
        notices.mark_failed(session, given_up.id, NOW - 91 * DAY, permanent="invalid_blocks")
        incidents.hold_channel(session, "C1", "is_archived", NOW - 92 * DAY, posts_only=True)
        incidents.resolve(session, "C1", NOW - 91 * DAY, by_post=True)
        incidents.hold_channel(session, "C1", "is_archived", NOW - 90 * DAY, posts_only=True)
    with desk.database.transaction() as session:
        assert forget_before(session, NOW - 90 * DAY) == 2
    assert ids(desk, Notice, Incident) == [[2, 3, 4], [2]]


def sent(desk: Desk, number: int, state: DeliveryState, finished_days_ago: int) -> None:
    with desk.database.transaction() as session:
        at = NOW - finished_days_ago * DAY
        queue_id = desk.queue().id
        session.add(
            Event(
                id=number, key=str(number), kind=EventKind.ITEM_SETTLED, queue_id=queue_id, data={}, created_at=at,
                addressed_at=at,
            )
        )  # fmt: skip
        session.flush()
        finished = None if state is DeliveryState.PENDING else at
        session.add(
            EventDelivery(
                id=number,
                event_id=number,
                endpoint="crm",
                state=state,
                attempts=1,
                next_attempt_at=at,
                finished_at=finished,
            )
        )
        session.flush()
        session.add(DeliveryAttempt(id=number, delivery_id=number, at=at, status=200, outcome="heard", milliseconds=1))


def test_events_that_were_heard_go_with_their_log_and_those_that_were_not_stay(desk: Desk) -> None:
    sent(desk, 1, DeliveryState.DELIVERED, 91)
    sent(desk, 2, DeliveryState.DELIVERED, 89)
    sent(desk, 3, DeliveryState.DEAD, 91)
    sent(desk, 4, DeliveryState.PENDING, 91)
    for _piece in range(4):
        with desk.database.transaction() as session:
            forgotten = forget_before(session, NOW - 90 * DAY)
    assert forgotten == 0
    assert ids(desk, Event, EventDelivery, DeliveryAttempt) == [[2, 3, 4]] * 3


def test_of_the_jobs_that_ended_the_last_of_its_kind_stays_and_says_that_the_fault_is_mended(desk: Desk) -> None:
    states = (("train:a", "dead"), ("train:a", "done"), ("train:a", "done"), ("train:b", "dead"), ("train:b", "ready"))
    with desk.database.transaction() as session:
        for number, (mutex, state) in enumerate(states, start=1):
            session.add(
                Job(
                    id=number, name="train", key=str(number), mutex=mutex, payload={}, state=state, attempts=1,
                    next_attempt_at=NOW - 91 * DAY, failure_reason="",
                )
            )  # fmt: skip
    with desk.database.transaction() as session:
        assert jobs.forget_before(session, NOW - 90 * DAY) == 2
        assert jobs.forget_before(session, NOW - 90 * DAY) == 0
        assert [job.key for job in backlog.dead_jobs(session)] == ["4"]
    assert ids(desk, Job) == [[3, 4, 5]]


def test_counts_of_labels_that_no_sender_uses_any_more_go(desk: Desk) -> None:
    with desk.database.transaction() as session:
        count_unknown_labels(session, {"spam": 1, "ham": 1}, NOW - 91 * DAY, desk.rules)
        count_unknown_labels(session, {"ham": 1}, NOW - 89 * DAY, desk.rules)
        assert forget_before(session, NOW - 90 * DAY) == 1
    with desk.database.reading() as session:
        assert unknown_labels(session, desk.rules) == {"ham": 2}
