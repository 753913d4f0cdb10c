"""After the last fault: is anything still to be done? Asked of the rows, until nothing is."""

import time
from collections.abc import Callable

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from benchmarks.chaos.place import Place
from core.records.delivery import Notice, Posting
from core.records.jobs import Job
from core.records.learning import TrainingRun
from core.records.reviews import ReviewItem
from core.records.webhooks import Event, EventDelivery
from core.vocabulary import DeliveryState, ItemState, RunState

LONGEST_WAIT = 120.0  # seconds; what a dead process had claimed in the last moment is free again after sixty

UNSETTLED: dict[str, Select[int]] = {
    "open items": select(func.count()).where(ReviewItem.state.in_((ItemState.OPEN, ItemState.DISPUTED))),
}
UNDONE: dict[str, Select[int]] = {
    "cards to draw": select(func.count()).where(
        Posting.requested_version > Posting.delivered_version, Posting.failure_reason == ""
    ),
    "notices to say": select(func.count()).where(Notice.delivered_at.is_(None), Notice.failure_reason == ""),
    "jobs": select(func.count()).where(Job.state.in_(("ready", "running"))),
    "training runs": select(func.count()).where(TrainingRun.state.in_((RunState.REQUESTED, RunState.RUNNING))),
    "events without deliveries": select(func.count()).where(Event.addressed_at.is_(None)),
    "webhooks": select(func.count()).where(EventDelivery.state == DeliveryState.PENDING),
}


def until_settled(place: Place, tend: Callable[[], None], told: Callable[[str], None]) -> str:
    """People go on until every item is settled. Empty, or what was left when the patience ended."""
    return _until_none(place, UNSETTLED, tend, told)


def until_quiet(place: Place, tend: Callable[[], None], told: Callable[[str], None]) -> str:
    """Unacknowledged events are brought again, as Slack does after one and five minutes; then everything that
    they led to must be done. Empty, or what was left."""
    deadline = time.monotonic() + LONGEST_WAIT
    while place.sandbox.events.tasks and time.monotonic() < deadline:
        place.box.advance(61)
        tend()
        time.sleep(0.2)
    if place.sandbox.events.tasks:
        return "unacknowledged events"
    return _until_none(place, UNDONE, tend, told)


def _until_none(
    place: Place, asked: dict[str, Select[int]], tend: Callable[[], None], told: Callable[[str], None]
) -> str:
    deadline = time.monotonic() + LONGEST_WAIT
    while left := _left(place, asked):
        if time.monotonic() > deadline:
            return left
        told(f"waiting: {left}")
        tend()
        time.sleep(0.2)
    return ""


def _left(place: Place, asked: dict[str, Select[int]]) -> str:
    with place.database.reading() as session:
        counted = {name: _count(session, statement) for name, statement in asked.items()}
    return ", ".join(f"{count} {name}" for name, count in counted.items() if count)


def _count(session: Session, statement: Select[int]) -> int:
    return session.scalar(statement) or 0
