"""The state of webhook deliveries: counts for each endpoint, dead deliveries and the last attempts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.records.webhooks import DeliveryAttempt, Event, EventDelivery
from core.vocabulary import DeliveryState, EventKind


@dataclass(frozen=True)
class EndpointLine:
    """The deliveries of an endpoint. oldest_pending: since when its oldest event waits; None: none waits."""

    endpoint: str
    pending: int
    delivered: int
    dead: int
    oldest_pending: datetime | None


@dataclass(frozen=True)
class AttemptLine:
    at: datetime
    event_id: int
    kind: EventKind
    endpoint: str
    state: DeliveryState
    status: int | None
    outcome: str
    milliseconds: int


def endpoint_lines(session: Session) -> list[EndpointLine]:
    """A line for each endpoint that ever had a delivery, by name."""
    counts: dict[str, dict[DeliveryState, int]] = {}
    for endpoint, state, count in session.execute(
        select(EventDelivery.endpoint, EventDelivery.state, func.count()).group_by(
            EventDelivery.endpoint, EventDelivery.state
        )
    ):
        counts.setdefault(endpoint, {})[state] = count
    return [_line(session, endpoint, counts[endpoint]) for endpoint in sorted(counts)]


def last_attempts(session: Session, limit: int) -> list[AttemptLine]:
    """The last attempts, newest first."""
    found = session.execute(
        select(DeliveryAttempt, EventDelivery, Event.kind)
        .join(EventDelivery, EventDelivery.id == DeliveryAttempt.delivery_id)
        .join(Event, Event.id == EventDelivery.event_id)
        .order_by(DeliveryAttempt.id.desc())
        .limit(limit)
    )
    return [
        AttemptLine(
            attempt.at, delivery.event_id, kind, delivery.endpoint, delivery.state,
            attempt.status, attempt.outcome, attempt.milliseconds,
        )
        for attempt, delivery, kind in found
    ]  # fmt: skip


def require_known(session: Session, endpoint: str | None, event_id: int | None, in_policy: Iterable[str]) -> None:
    """Raises NotFound if the endpoint is neither in the policy nor ever had a delivery, or if no event has this id."""
    if endpoint is not None and endpoint not in in_policy:
        delivery = select(EventDelivery.id).where(EventDelivery.endpoint == endpoint).limit(1)
        if session.scalar(delivery) is None:
            raise NotFound(
                f"There is no endpoint “{endpoint}”: it is not in the policy, and nothing was ever sent to it."
            )
    if event_id is not None and session.get(Event, event_id) is None:
        raise NotFound(f"There is no event {event_id}. `goldloop webhooks` shows the last ones with their numbers.")


def _line(session: Session, endpoint: str, counts: dict[DeliveryState, int]) -> EndpointLine:
    oldest = session.scalar(
        select(Event.created_at)
        .join(EventDelivery, EventDelivery.event_id == Event.id)
        .where(EventDelivery.endpoint == endpoint, EventDelivery.state == DeliveryState.PENDING)
        .order_by(Event.created_at)
        .limit(1)
    )
    pending, delivered, dead = (counts.get(state, 0) for state in DeliveryState)
    return EndpointLine(endpoint, pending, delivered, dead, oldest)
