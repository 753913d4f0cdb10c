"""Webhooks as rows: an event is written with its cause, each endpoint gets a delivery of it, and a process leases one,
sends it and stores the outcome. Delivery is at least once, in no guaranteed order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Select, Table, literal_column, select, update
from sqlalchemy.orm import Session

from core.policy.integrations import WebhookEndpoint
from core.records.queues import Queue
from core.records.webhooks import DeliveryAttempt, Event, EventDelivery
from core.storage import leases
from core.storage.announcing import announce
from core.storage.bulk import Bulk, insert_all
from core.storage.ready import fetch
from core.vocabulary import DeliveryState, EventKind

AT_ONCE = 100  # events that get their deliveries in one transaction
PAUSES = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 3600, 10_800, 21_600, 43_200))  # after each failure
MOST_ATTEMPTS = len(PAUSES) + 1  # over almost a day; then it is dead
SILENCE = timedelta(seconds=30)  # an endpoint that does not answer is left alone, so that others need not wait for it

_NEW_AND_PENDING = select(  # built once: it is asked all day
    select(Event.id).where(Event.addressed_at.is_(None)).exists(),
    select(EventDelivery.id).where(EventDelivery.state == literal_column("'pending'")).exists(),
)
_EVENTS = Bulk(
    cast(Table, Event.__table__), same=("kind",), each=("key", "queue_id", "data", "created_at"), key=("key",)
)


@dataclass(frozen=True)
class NewEvent:
    """An event to publish, with its cause: the parameters of `publish`."""

    cause_id: int
    queue_id: int
    data: dict[str, Any]
    at: datetime


@dataclass(frozen=True)
class DueEvent:
    """A leased delivery."""

    delivery_id: int
    event_id: int
    endpoint: str
    kind: EventKind
    happened_at: datetime
    data: dict[str, Any]


@dataclass(frozen=True)
class Attempted:
    """The result of an attempt to send an event. status: None if no answer came. outcome: in words."""

    status: int | None
    outcome: str
    milliseconds: int
    delivered: bool = False
    give_up: bool = False
    retry_after: int | None = None  # seconds, as the endpoint asked
    is_ours: bool = False  # it failed for a reason that is not the endpoint's


def publish(
    session: Session, kind: EventKind, cause_id: int, queue_id: int, data: dict[str, Any], now: datetime
) -> None:
    """Store an event in the transaction of its cause. cause_id: the id of the row that caused it; there is one event of
    a kind per cause, so repeating it changes nothing. Events hold no texts of predictions: these would outlive an
    erasure in other systems."""
    publish_all(session, kind, [NewEvent(cause_id, queue_id, data, now)])


def publish_all(session: Session, kind: EventKind, events: Sequence[NewEvent]) -> None:
    """The same as `publish` for many events, in this order."""
    rows = [
        {"key": f"{kind}:{one.cause_id}", "queue_id": one.queue_id, "data": one.data, "created_at": one.at}
        for one in events
    ]
    insert_all(session, _EVENTS, {"kind": kind}, rows)
    announce(session)


def is_waiting(session: Session, endpoints: Sequence[WebhookEndpoint], now: datetime) -> bool:
    """Whether an event has to be addressed or sent. It only reads, so it can be called every second."""
    [(is_new, is_pending)] = fetch(session, _NEW_AND_PENDING, {})
    return bool(is_new or (is_pending and session.scalar(_due(endpoints, now)) is not None))


def address(session: Session, endpoints: Sequence[WebhookEndpoint], now: datetime) -> None:
    """Make a delivery of each new event for each endpoint that wants it. An endpoint that is added to the policy later
    receives later events only."""
    new = session.execute(
        select(Event, Queue.name)
        .join(Queue, Queue.id == Event.queue_id)
        .where(Event.addressed_at.is_(None))
        .order_by(Event.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True, of=Event)
    )
    for event, queue in new.all():
        event.addressed_at = now
        for endpoint in endpoints:
            if endpoint.wants(event.kind, queue):
                session.add(EventDelivery(event_id=event.id, endpoint=endpoint.name, next_attempt_at=now))
    session.flush()


def claim_next_delivery(
    session: Session, endpoints: Sequence[WebhookEndpoint], process: str, now: datetime
) -> DueEvent | None:
    """Take the delivery that has been due longest. Two processes never get the same one."""
    delivery_id = session.scalar(_due(endpoints, now).with_for_update(skip_locked=True))
    if delivery_id is None:
        return None
    delivery = session.get_one(EventDelivery, delivery_id)
    leases.take(delivery, process, now)
    event = session.get_one(Event, delivery.event_id)
    return DueEvent(delivery.id, event.id, delivery.endpoint, event.kind, event.created_at, event.data)


def note_attempt(session: Session, delivery_id: int, attempt: Attempted, now: datetime) -> DeliveryState:
    """Log the attempt; the delivery is then done, due again later, or dead. An endpoint that did not answer is left
    alone for a while."""
    silence = SILENCE if attempt.status is None and not attempt.is_ours else timedelta()
    if silence:
        _leave_alone(session, session.get_one(EventDelivery, delivery_id).endpoint, now + silence)
    delivery = session.get_one(EventDelivery, delivery_id, with_for_update=True, populate_existing=True)
    session.add(
        DeliveryAttempt(
            delivery_id=delivery_id,
            at=now,
            status=attempt.status,
            outcome=attempt.outcome,
            milliseconds=attempt.milliseconds,
        )
    )
    leases.release(delivery)
    delivery.attempts, delivery.failure_reason = delivery.attempts + 1, "" if attempt.delivered else attempt.outcome
    if attempt.delivered:
        delivery.state, delivery.finished_at = DeliveryState.DELIVERED, now
    elif attempt.give_up or delivery.attempts >= (leases.MOST_ATTEMPTS if attempt.is_ours else MOST_ATTEMPTS):
        delivery.state, delivery.finished_at = DeliveryState.DEAD, now
    else:
        asked = timedelta(seconds=attempt.retry_after or 0)
        delivery.next_attempt_at = now + max(asked, silence, PAUSES[delivery.attempts - 1])
    return delivery.state


def replay(session: Session, endpoint: str | None, event_id: int | None, now: datetime) -> int:
    """Send again: all dead deliveries, only those of this endpoint, or this one event, delivered or not. Returns how
    many."""
    wanted = update(EventDelivery).values(
        state=DeliveryState.PENDING,
        attempts=0,
        next_attempt_at=now,
        leased_by=None,
        leased_until=None,
        finished_at=None,
    )
    if endpoint is not None:
        wanted = wanted.where(EventDelivery.endpoint == endpoint)
    if event_id is not None:
        wanted = wanted.where(EventDelivery.event_id == event_id)
    else:
        wanted = wanted.where(EventDelivery.state == DeliveryState.DEAD)
    return len(session.scalars(wanted.returning(EventDelivery.id)).all())


def _due(endpoints: Sequence[WebhookEndpoint], now: datetime) -> Select[int]:
    return (
        select(EventDelivery.id)
        .where(
            EventDelivery.state == DeliveryState.PENDING,
            EventDelivery.endpoint.in_([endpoint.name for endpoint in endpoints]),
            leases.is_due(EventDelivery, now),
        )
        .order_by(EventDelivery.next_attempt_at, EventDelivery.id)
        .limit(1)
    )


def _leave_alone(session: Session, endpoint: str, until: datetime) -> None:
    """Make the deliveries of an endpoint wait. Locks them in their order, and before any other: another process may be
    doing the same."""
    pending = (
        select(EventDelivery.id)
        .where(EventDelivery.endpoint == endpoint, EventDelivery.state == DeliveryState.PENDING)
        .order_by(EventDelivery.id)
        .with_for_update()
    )
    later = update(EventDelivery).where(EventDelivery.id.in_(pending), EventDelivery.next_attempt_at < until)
    session.execute(later.values(next_attempt_at=until))
