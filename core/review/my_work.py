"""A reviewer's own work: the items open for them, their answers, and which of these they can withdraw."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from core.delivery.card_refs import CardRef
from core.delivery.outbox import Place, places_of
from core.policy import Policy, QueuePolicy
from core.queues import queue_ids
from core.records.queues import Queue
from core.records.reviews import Answer, Reviewer, ReviewItem
from core.review.answers import answer_in_words
from core.review.content import shown_text
from core.review.questions import ERASED_AT, TEXT, with_content
from core.review.workload import WAITS, Load, load
from core.storage.database import kind_of
from core.storage.lists import among, as_list
from core.storage.ready import Found, Question, ask_all
from core.vocabulary import AnswerKind, Card

_PAUSED = select(Reviewer.person).where(Reviewer.person == bindparam("person"), Reviewer.paused_at.is_not(None))
_WAITING = select(ReviewItem.id).where(*WAITS).order_by(ReviewItem.id).limit(10)
_ANSWERS = (  # the last ones
    select(ReviewItem.id, ReviewItem.opened_at, ReviewItem.state, Answer.kind, Answer.label)
    .select_from(Answer)
    .join(ReviewItem, ReviewItem.id == Answer.item_id)
    .where(Answer.person == bindparam("person"), Answer.is_current, Answer.kind != AnswerKind.WITHDRAWN)
    .order_by(Answer.created_at.desc(), Answer.id.desc())
    .limit(10)
)


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
    """The person's work. queues: those in which the person is a reviewer."""
    mine = {"person": person}
    ids = queue_ids(session, [queue.name for queue in queues])
    questions: list[Question[Any]] = [Question(_PAUSED, mine, bool), Question(_ANSWERS, mine, list)]
    for queue, queue_id in zip(queues, ids, strict=True):
        waiting = Question(_WAITING, {**mine, "queue_id": queue_id}, _ids)
        questions += [load(person, queue_id, queue.zone, now), waiting]
    paused, answers, *of_queues = ask_all(session, questions)
    loads, waiting_lists = of_queues[::2], of_queues[1::2]
    items = _items(session, {*_ids(answers), *chain(*waiting_lists)})
    return MyWorkCard(
        person=person,
        paused=paused,
        queues=tuple(_my_queue(*found, items) for found in zip(queues, loads, waiting_lists, strict=True)),
        answers=tuple(_my_answers(answers, queues, policy, items)),
    )


@dataclass(frozen=True)
class _Item:
    queue: str
    text: str
    erased_at: datetime | None
    place: Place | None

    def excerpt(self, policy: QueuePolicy) -> str:
        return excerpt(shown_text(self.text, self.erased_at, policy))


def _ids(rows: Found) -> list[int]:
    return [item_id for item_id, *_more in rows]


def _items(session: Session, ids: Collection[int]) -> dict[int, _Item]:
    if not ids:
        return {}
    kind = kind_of(session)
    contents = Question(_contents(kind), {"ids": as_list(kind, ids)}, list)
    found, standing = ask_all(session, [contents, places_of(kind, Card.REVIEW_ITEM, ids)])
    return {item_id: _Item(queue, text, erased_at, standing.get(item_id)) for item_id, queue, text, erased_at in found}


@cache
def _contents(kind: str) -> Select[*tuple[Any, ...]]:
    """A statement of its own: PostgreSQL takes longer to plan these joins than to look the rows up."""
    items = select(ReviewItem.id, Queue.name, TEXT, ERASED_AT).join(Queue, Queue.id == ReviewItem.queue_id)
    return with_content(items).where(among(ReviewItem.id, kind, "ids"))


def _my_queue(queue: QueuePolicy, numbers: Load, ids: Sequence[int], items: Mapping[int, _Item]) -> MyQueue:
    waiting = tuple(Waiting(item_id, items[item_id].excerpt(queue), items[item_id].place) for item_id in ids)
    return MyQueue(queue.shown_title, numbers.open, numbers.done_today, queue.workload.daily_cap, waiting)


def excerpt(text: str, most: int = 80) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _my_answers(
    rows: Found, queues: Sequence[QueuePolicy], policy: Policy, items: Mapping[int, _Item]
) -> Iterator[MyAnswer]:
    """The last answers of the person. In a queue in which they no longer review, or that no longer exists, the contents
    of the items are left out."""
    titles = {queue.name: queue.shown_title for queue in policy.queues}
    mine = {queue.name: queue for queue in queues}
    for item_id, opened_at, state, kind, label in rows:
        item = items[item_id]
        yield MyAnswer(
            subject=CardRef.of(item_id, opened_at),
            place=item.place,
            queue_title=titles.get(item.queue, item.queue),
            excerpt=item.excerpt(mine[item.queue]) if item.queue in mine else "",
            words=answer_in_words(kind, label),
            may_undo=state.is_undecided,
        )
