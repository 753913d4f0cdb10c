"""A person's workload: open items, and answers of today."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, bindparam, func, literal, or_, select
from sqlalchemy.orm import Session

from core.records.queues import Queue
from core.records.reviews import Answer, ReviewItem
from core.review.assignments import waits_for
from core.storage.database import run
from core.vocabulary import AnswerKind, ItemState

DONE = (
    select(func.count())
    .select_from(Answer)
    .join(ReviewItem, ReviewItem.id == Answer.item_id)
    .where(
        Answer.person == bindparam("person"),
        Answer.created_at >= bindparam("since"),
        Answer.is_current,
        or_(Answer.kind == AnswerKind.LABEL, Answer.kind == AnswerKind.NONE_OF_THESE),
        ReviewItem.queue_id == bindparam("queue_id"),
    )
)  # today, by one person in one queue


@dataclass(frozen=True)
class Load:
    """open: items of the queue that wait for this person's answer. done_today: votes cast since the day began in the
    queue's time zone, on different items; a changed vote counts once, a withdrawn one not at all."""

    open: int
    done_today: int


def load(session: Session, person: str, queue: Queue, zone: ZoneInfo, now: datetime) -> Load:
    return Load(open=_open(session, person, queue), done_today=done_today(session, person, queue, zone, now))


def done_today(session: Session, person: str, queue: Queue, zone: ZoneInfo, now: datetime) -> int:
    asked = {"person": person, "since": day_began(now, zone), "queue_id": queue.id}
    return int(run(session, DONE, asked).scalar_one())


def day_began(now: datetime, zone: ZoneInfo) -> datetime:
    """Midnight in the zone, as UTC."""
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)


def waiting_for(person: str, queue: Queue) -> tuple[ColumnElement[bool], ...]:
    """The conditions of "open items that wait for this person's answer"."""
    mine = waits_for(ReviewItem.id, literal(person))
    return (ReviewItem.queue_id == queue.id, ReviewItem.state == ItemState.OPEN, mine)


def _open(session: Session, person: str, queue: Queue) -> int:
    return session.scalar(select(func.count()).select_from(ReviewItem).where(*waiting_for(person, queue))) or 0
