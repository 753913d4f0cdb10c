"""A flagged prediction becomes a review item; who may say something about it, and what was said so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row, Table, bindparam, func, select
from sqlalchemy.orm import Session

from core.bulk import Bulk, insert_returning
from core.database import run
from core.delivery import outbox
from core.errors import AlreadySettled, NotFound
from core.hashing import unit_interval
from core.policy import QueuePolicy
from core.records.queues import Member, Queue
from core.records.reviews import Answer, Reviewer, ReviewItem
from core.vocabulary import AnswerKind, Audience, Card, ErrorReason, ItemState, Role, shown_answer

# What every click asks is built once: building these costs several times what running them does.
_LOCKED = (
    select(ReviewItem)
    .where(ReviewItem.id == bindparam("item_id"))
    .with_for_update(of=ReviewItem)
    .execution_options(populate_existing=True)
)
_OPENING = Bulk(
    cast(Table, ReviewItem.__table__),
    same=("queue_id", "state", "disputed_because", "opened_at"),
    each=("prediction_id", "blind"),
    back=("prediction_id", "id"),
)
_LATEST = (
    select(
        Answer.id,
        Answer.person,
        Answer.kind,
        Answer.label,
        Answer.reason,
        Answer.note,
        Answer.guideline_version,
        Answer.clicked_at,
        Answer.created_at,
    )
    .where(Answer.item_id == bindparam("item_id"), Answer.is_current)
    .order_by(Answer.id)
)
_ASKABLE = (
    select(Member.person)
    .outerjoin(Reviewer, Reviewer.person == Member.person)
    .where(
        Member.queue_id == bindparam("queue_id"),
        Member.role == Role.REVIEWER,
        Member.active,
        Reviewer.paused_at.is_(None),
    )
)
_LEFT = select(func.count()).select_from(
    _ASKABLE.where(Member.person.not_in(bindparam("said", expanding=True))).subquery()
)


@dataclass(frozen=True)
class CurrentAnswer:
    """A person's newest word about an item. id is None while it is being stored."""

    id: int | None
    person: str
    kind: AnswerKind
    label: str | None
    reason: ErrorReason | None
    note: str
    guideline_version: int
    clicked_at: int
    created_at: datetime


@dataclass(frozen=True)
class Seen:
    """A prediction that people are to look at. has_guess: a model has said something about it."""

    prediction_id: int
    content_hash: str
    has_guess: bool


def open_items(
    session: Session, predictions: Sequence[Seen], queue: Queue, now: datetime, policy: QueuePolicy
) -> list[int]:
    """Show the predictions to the queue's reviewers; returns the items' ids, in this order.

    Whether one is blind depends on its content alone, so the same text is always shown in the same way. Without a guess
    there is nothing to hide, and nothing a model got wrong.
    """
    share = policy.review.blind_share
    same = {"queue_id": queue.id, "state": ItemState.OPEN, "disputed_because": "", "opened_at": now}
    rows = [
        {
            "prediction_id": seen.prediction_id,
            "blind": seen.has_guess and unit_interval(seen.content_hash, "blind") < share,
        }
        for seen in predictions
    ]
    item_of: dict[int, int] = dict(insert_returning(session, _OPENING, same, rows))
    ids = [item_of[seen.prediction_id] for seen in predictions]
    outbox.show_all(session, Card.REVIEW_ITEM, ids, Audience.REVIEWERS, queue, now)
    return ids


def locked_item(session: Session, item_id: int) -> ReviewItem:
    """The row that decides about votes, skips, settling and adjudication: hold it before checking anything."""
    item = session.scalar(_LOCKED, {"item_id": item_id})
    if item is None:
        raise NotFound(f"Item {item_id} does not exist (any more).")
    if item.state is ItemState.ERASED:
        raise AlreadySettled(f"The text of item {item_id} was erased; nothing is left to judge.")
    return item


def latest_answers(session: Session, item_id: int) -> list[CurrentAnswer]:
    """One per person who has ever said something, taken back or not; oldest first."""
    rows: Sequence[Row[*tuple[Any, ...]]] = run(session, _LATEST, {"item_id": item_id}).all()
    return [CurrentAnswer(*row) for row in rows]


def current_answers(session: Session, item_id: int) -> list[CurrentAnswer]:
    """One per person who has said something and not taken it back, oldest first."""
    return standing(latest_answers(session, item_id))


def standing(answers: Sequence[CurrentAnswer]) -> list[CurrentAnswer]:
    """Without those that were taken back."""
    return [answer for answer in answers if answer.kind is not AnswerKind.WITHDRAWN]


def left_to_ask(session: Session, item: ReviewItem, answers: Sequence[CurrentAnswer]) -> int:
    """Reviewers who may act, are not paused and have said nothing about the item."""
    said = [answer.person for answer in answers]
    return int(run(session, _LEFT, {"queue_id": item.queue_id, "said": said}).scalar_one())


def unanswerable_items(session: Session, queue_id: int) -> list[int]:
    """Open items about which everybody who can be asked has spoken. Clicks find this out by themselves; it is left over
    when the last one to ask pauses or leaves."""
    askable = _askable(session, queue_id)
    standing = (Answer.item_id == ReviewItem.id) & Answer.is_current & (Answer.kind != AnswerKind.WITHDRAWN)
    enough_said = (
        select(ReviewItem.id)
        .outerjoin(Answer, standing & Answer.person.in_(askable))
        .where(ReviewItem.queue_id == queue_id, ReviewItem.state == ItemState.OPEN)
        .group_by(ReviewItem.id)
        .having(func.count(Answer.person) >= len(askable))  # a person has one standing answer at most
        .order_by(ReviewItem.id)
    )
    return list(session.scalars(enough_said))


def _askable(session: Session, queue_id: int) -> set[str]:
    return set(session.scalars(_ASKABLE, {"queue_id": queue_id}))


def said_words(answer: Answer | CurrentAnswer) -> str:
    """What an answer says, as people read it."""
    return shown_answer(answer.label) if answer.kind.is_vote else answer.kind.value.replace("_", " ")
