"""A reviewer's own work: the items open for them, their answers, and which of these they can withdraw."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.delivery.card_refs import CardRef
from core.delivery.outbox import Place, places
from core.policy import Policy, QueuePolicy
from core.queues import queue_named
from core.records.queues import Queue
from core.records.reviews import Answer, Reviewer, ReviewItem
from core.review.answers import said_words
from core.review.content import shown_text
from core.review.questions import ERASED_AT, TEXT, Question, question_of, with_content
from core.review.workload import load, waiting_for
from core.vocabulary import AnswerKind, Card


@dataclass(frozen=True)
class MyAnswer:
    """place: of the item's card; None: it is not posted."""

    subject: CardRef
    place: Place | None
    queue_title: str
    excerpt: str
    words: str
    may_undo: bool


@dataclass(frozen=True)
class Waiting:
    """An item that waits for the person. place: of its card; None: it is not posted yet."""

    item_id: int
    excerpt: str
    place: Place | None


@dataclass(frozen=True)
class MyQueue:
    title: str
    open: int
    done_today: int
    daily_cap: int
    waiting: tuple[Waiting, ...]  # oldest first


@dataclass(frozen=True)
class MyWorkCard:
    """A person's own load, and their last answers with undo where it is still possible."""

    person: str
    paused: bool
    queues: tuple[MyQueue, ...]
    answers: tuple[MyAnswer, ...]


def my_work_card(
    session: Session, person: str, queues: Sequence[QueuePolicy], now: datetime, policy: Policy
) -> MyWorkCard:
    """queues: those in which the person is a reviewer."""
    reviewer = session.get(Reviewer, person)
    mine = []
    for queue in queues:
        row = queue_named(session, queue.name)
        numbers = load(session, person, row, queue.zone, now)
        waiting = _waiting(session, person, row, queue)
        mine.append(MyQueue(queue.shown_title, numbers.open, numbers.done_today, queue.workload.daily_cap, waiting))
    return MyWorkCard(
        person=person,
        paused=reviewer is not None and reviewer.paused_at is not None,
        queues=tuple(mine),
        answers=tuple(_last_answers(session, person, queues, policy)),
    )


def _waiting(session: Session, person: str, row: Queue, queue: QueuePolicy) -> tuple[Waiting, ...]:
    found = session.execute(
        with_content(select(ReviewItem.id, TEXT, ERASED_AT))
        .where(*waiting_for(person, row))
        .order_by(ReviewItem.id)
        .limit(10)
    ).all()
    standing = places(session, Card.REVIEW_ITEM, [item_id for item_id, *_content in found])
    return tuple(
        Waiting(item_id, excerpt(shown_text(text, erased, queue)), standing.get(item_id))
        for item_id, text, erased in found
    )


def excerpt(text: str, most: int = 80) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _last_answers(session: Session, person: str, queues: Sequence[QueuePolicy], policy: Policy) -> list[MyAnswer]:
    """The last answers of a person. For a queue in which they no longer review, or that no longer exists, the contents
    of the items are left out."""
    found = session.execute(
        select(Answer, ReviewItem)
        .join(ReviewItem, ReviewItem.id == Answer.item_id)
        .where(Answer.person == person, Answer.is_current, Answer.kind != AnswerKind.WITHDRAWN)
        .order_by(Answer.created_at.desc(), Answer.id.desc())
        .limit(10)
    ).all()
    standing = places(session, Card.REVIEW_ITEM, [item.id for _answer, item in found])
    titles = {queue.name: queue.shown_title for queue in policy.queues}
    mine = {queue.name: queue for queue in queues}
    return [
        MyAnswer(
            subject=CardRef.of(item.id, item.opened_at),
            place=standing.get(item.id),
            queue_title=titles.get(item.queue.name, item.queue.name),
            excerpt=_excerpt_of(question_of(item), mine.get(item.queue.name)),
            words=said_words(answer),
            may_undo=item.state.is_undecided,
        )
        for answer, item in found
    ]


def _excerpt_of(question: Question, queue: QueuePolicy | None) -> str:
    return excerpt(shown_text(question.text, question.erased_at, queue)) if queue else ""
