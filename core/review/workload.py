"""A person's workload: open items, and answers of today."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from sqlalchemy import Select, bindparam, func, or_, select
from sqlalchemy.orm import Session

from core.records.queues import Queue
from core.records.reviews import Answer, ReviewItem
from core.review.assignments import waits_for
from core.storage.database import kind_of, run
from core.storage.lists import among, as_list, form_of
from core.storage.ready import Question, fetch
from core.vocabulary import AnswerKind, ItemState

LONGEST_DAY = timedelta(hours=27)  # in any zone: clocks go back by one hour, in some by two

_VOTES = (
    Answer.created_at >= bindparam("since"),
    Answer.is_current,
    or_(Answer.kind == AnswerKind.LABEL, Answer.kind == AnswerKind.NONE_OF_THESE),
)
_DONE = (
    select(func.count())
    .select_from(Answer)
    .join(ReviewItem, ReviewItem.id == Answer.item_id)
    .where(Answer.person == bindparam("person"), ReviewItem.queue_id == bindparam("queue_id"), *_VOTES)
)  # today, by one person in one queue

WAITS = (  # the conditions of "open items of the queue that wait for this person's answer"
    ReviewItem.queue_id == bindparam("queue_id"),
    ReviewItem.state == ItemState.OPEN,
    waits_for(ReviewItem.id, bindparam("person")),
)
_OPEN = select(func.count()).select_from(ReviewItem).where(*WAITS)
_LOAD = select(_OPEN.scalar_subquery(), _DONE.scalar_subquery())


@dataclass(frozen=True)
class Load:
    """open: items of the queue that wait for this person's answer. done_today: votes cast since the day began in the
    queue's time zone, on different items; a changed vote counts once, a withdrawn one not at all."""

    open: int
    done_today: int


def load(person: str, queue_id: int, zone: ZoneInfo, now: datetime) -> Question[Load]:
    asked = {"person": person, "queue_id": queue_id, "since": day_began(now, zone)}
    return Question(_LOAD, asked, lambda rows: Load(*rows[0]))


def done_today(session: Session, person: str, queue: Queue, zone: ZoneInfo, now: datetime) -> int:
    asked = {"person": person, "since": day_began(now, zone), "queue_id": queue.id}
    return int(run(session, _DONE, asked).scalar_one())


def done_since(session: Session, people: Collection[str], since: datetime) -> dict[tuple[int, str], int]:
    """`done_today` of these people, by queue and person, in all queues in which they have voted since then. It stays
    true only while the locks of their seats are held."""
    kind = kind_of(session)
    found = fetch(session, _done_by(kind), {"people": as_list(kind, people), "since": since})
    return {(queue_id, person): count for queue_id, person, count in found}


def recent_answers(kind: str, people: Collection[str], now: datetime) -> Question[dict[str, int]]:
    """The number of answers that each person gave within the longest day, of any kind and in any queue: never less than
    `done_since` of today. Read from an index, in a tenth of the time that counting votes takes. kind: of database."""
    form = form_of(kind, people)
    return Question(_answers_by(form), {"people": as_list(form, people), "since": now - LONGEST_DAY}, dict)


def day_began(now: datetime, zone: ZoneInfo) -> datetime:
    """Midnight in the zone, as UTC."""
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)


@cache
def _done_by(kind: str) -> Select[int, str, int]:
    return (
        select(ReviewItem.queue_id, Answer.person, func.count())
        .join(ReviewItem, ReviewItem.id == Answer.item_id)
        .where(among(Answer.person, kind, "people"), *_VOTES)
        .group_by(ReviewItem.queue_id, Answer.person)
    )


@cache
def _answers_by(form: str) -> Select[str, int]:
    # In a query of its own, as PostgreSQL plans anew for a time that it knows, and looks up how far its index goes.
    since = select(bindparam("since", type_=Answer.created_at.type)).scalar_subquery()
    recent = (among(Answer.person, form, "people"), Answer.created_at >= since)
    return select(Answer.person, func.count()).where(*recent).group_by(Answer.person)
