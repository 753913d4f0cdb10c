"""Review items: opened for flagged predictions, and locked while they are decided."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import Select, Table, case, func, select
from sqlalchemy.orm import Session

from core.delivery.card_refs import CardRef
from core.errors import AlreadySettled, NotFound
from core.policy import QueuePolicy
from core.records.policies import PolicyVersion
from core.records.predictions import Flag, Prediction
from core.records.queues import Queue, QueueFacts, QueueRow
from core.records.reviews import Assignment, ReviewItem
from core.review.presenting import items_opened
from core.review.questions import ABOUT_PREDICTION, CONTENT_HASH, with_content
from core.storage.bulk import Bulk, insert_returning
from core.storage.database import kind_of
from core.storage.lists import among, as_list, form_of
from core.storage.ready import Found, Question, ask, fetch
from core.text.content_hash import unit_interval
from core.vocabulary import ItemState, QuestionAbout, Reason

_QUEUE = (Queue.id, Queue.name, Queue.channel, Queue.leads_channel, Queue.guideline_version)
_NARROWED = select(Assignment.item_id).where(Assignment.item_id == ReviewItem.id).exists()
_WANTED = (
    select(  # in the order of `LockedItem`, as far as this says; then one flag, each in a row of its own
        *_QUEUE,
        ReviewItem.id,
        ReviewItem.state,
        ReviewItem.disputed_because,
        ReviewItem.disputed_values,
        ReviewItem.blind,
        ReviewItem.opened_at,
        ReviewItem.settled_at,
        ReviewItem.about,
        func.coalesce(ReviewItem.prediction_id, ReviewItem.golden_id, ReviewItem.seed_id, ReviewItem.synthetic_id),
        Prediction.external_id,
        Prediction.model_version,
        case((ABOUT_PREDICTION, Prediction.label)),
        Prediction.content_hash,
        func.coalesce(Prediction.lot_probability, 0.0),
        _NARROWED,
        Prediction.group,
        select(func.max(PolicyVersion.version)).scalar_subquery(),
        Flag.reason,
        Flag.person,
    )
    .join(Queue, Queue.id == ReviewItem.queue_id)
    .outerjoin(Prediction, Prediction.id == ReviewItem.prediction_id)
    .outerjoin(Flag, Flag.prediction_id == Prediction.id)
)
_OPENING = Bulk(
    cast(Table, ReviewItem.__table__),
    same=("queue_id", "about", "state", "disputed_because", "disputed_values", "opened_at"),
    each=("prediction_id", "blind"),
    back=("prediction_id", "id"),
)


@dataclass(frozen=True)
class LockedItem:
    """An item and what it is about, locked until the transaction ends. source_id: the id of the prediction, golden
    example, seed example or written text that holds its content. predicted_label: None where the item is not about a
    prediction. lot_probability: the probability with which the audit drew the prediction. narrowed: it is assigned to
    some people. group: of inputs that belong together, such as a patient's. policy_version: the one in force; None if
    none was stored yet. flags: by `Reason`, each with the person who flagged it, if one did."""

    queue: QueueFacts
    id: int
    state: ItemState
    disputed_because: str
    disputed_values: dict[str, Any]
    blind: bool
    opened_at: datetime
    settled_at: datetime | None
    about: QuestionAbout
    source_id: int
    external_id: str | None
    model_version: str | None
    predicted_label: str | None
    content_hash: str
    lot_probability: float
    narrowed: bool
    group: str | None
    policy_version: int | None
    flags: dict[str, str | None]

    @property
    def audited(self) -> bool:
        """The audit drew the prediction, with `lot_probability`."""
        return Reason.AUDIT in self.flags

    @property
    def held_back(self) -> bool:
        """The prediction is held back from training."""
        return Reason.HELD_BACK in self.flags

    @property
    def discovered(self) -> bool:
        """A scan found the text."""
        return Reason.DISCOVERY in self.flags

    @property
    def flagged_by(self) -> str | None:
        """The person who flagged it, if one did."""
        return self.flags.get(Reason.PERSON)

    @property
    def subject(self) -> CardRef:
        return CardRef.of(self.id, self.opened_at)


@dataclass(frozen=True)
class ToReview:
    """A prediction for which an item is to be opened. was_predicted: a model predicted it; drawn: the audit drew it, or
    it is held back from training."""

    prediction_id: int
    content_hash: str
    was_predicted: bool
    drawn: bool = False


def open_items(
    session: Session, predictions: Sequence[ToReview], queue: Queue, now: datetime, policy: QueuePolicy
) -> list[int]:
    """Open an item for each prediction and show it to the queue's reviewers. Returns the items' ids, in this order.

    An item about a randomly drawn prediction is blind; for the others, the content alone decides, so the same text is
    always shown in the same way. Without a model's prediction there is nothing to hide.
    """
    share = policy.review.blind_share
    undisputed = {"disputed_because": "", "disputed_values": {}}
    about = QuestionAbout.PREDICTION
    same = {"queue_id": queue.id, "about": about, "state": ItemState.OPEN, "opened_at": now} | undisputed
    opened = [
        {
            "prediction_id": one.prediction_id,
            "blind": one.was_predicted and (one.drawn or unit_interval(one.content_hash, "blind") < share),
        }
        for one in predictions
    ]
    item_of: dict[int, int] = dict(insert_returning(session, _OPENING, same, opened))
    ids = [item_of[one.prediction_id] for one in predictions]
    items_opened(session, ids, queue, now)
    return ids


def open_about_written(
    session: Session, text_ids: Sequence[int], people: Collection[str], queue: QueueRow, now: datetime
) -> list[int]:
    """Ask whether texts that a language model wrote deserve their label. Returns the items' ids, in this order. The
    items are never blind: the question names the label. people: those to ask; empty: every reviewer of the queue. A
    text has at most one item ever; a second one breaks a constraint."""
    rows = [
        ReviewItem(queue_id=queue.id, about=QuestionAbout.SYNTHETIC, synthetic_id=text_id, blind=False, opened_at=now)
        for text_id in text_ids
    ]
    session.add_all(rows)
    session.flush()
    ids = [row.id for row in rows]
    session.add_all(Assignment(item_id=item_id, person=one, assigned_at=now) for item_id in ids for one in people)
    session.flush()
    items_opened(session, ids, queue, now)
    return ids


def locked_items(session: Session, ids: Collection[int], wait: bool = True) -> tuple[dict[int, LockedItem], set[int]]:
    """Lock these items, in the order of their ids, and read what decides about them. To be called before anything is
    checked for a vote, a skip, a settlement or an adjudication.

    Returns the items that exist, by id. wait: for rows that another transaction has locked; otherwise these are left
    out, and their ids are the second value. On SQLite a transaction that writes is alone, so there are none.
    """
    return completed(session, ids, ask(session, locking(kind_of(session), ids, wait)), wait)


def locking(kind: str, ids: Collection[int], wait: bool) -> Question[dict[int, LockedItem]]:
    """`locked_items` as a question; `completed` makes its result of the answer. kind: of database."""
    form = form_of(kind, ids)
    return Question(_locking(form, wait), {"ids": as_list(form, ids)}, _by_id)


def completed(
    session: Session, ids: Collection[int], found: dict[int, LockedItem], wait: bool
) -> tuple[dict[int, LockedItem], set[int]]:
    """The result of `locked_items`. found: the answer to `locking`. Adds what few sets need: contents that are not in a
    prediction, and which of the ids are locked."""
    kind, absent = kind_of(session), set(ids) - set(found)
    whole = _with_contents(session, found)
    if wait or kind != "postgresql" or not absent:
        return whole, set()
    return whole, {row[0] for row in fetch(session, _there(kind), {"ids": as_list(kind, absent)})}


def locked_item(session: Session, subject: CardRef) -> LockedItem:
    """The same as `locked_items` for one item that people can answer. Raises NotFound or AlreadySettled."""
    found, _held = locked_items(session, [subject.id])
    return answerable(subject, found.get(subject.id))


def answerable(subject: CardRef, item: LockedItem | None) -> LockedItem:
    """The item of a control, if it needs an answer. Raises NotFound if there is no such item, and AlreadySettled if it
    needs no answer any more."""
    if item is None:
        raise _gone(subject)
    subject.require(item.opened_at)
    if item.state is ItemState.ERASED:
        raise AlreadySettled(f"The text of item {item.id} was erased, so there is nothing left to review.")
    if item.state is ItemState.CLOSED and item.about is QuestionAbout.SYNTHETIC:
        raise AlreadySettled(f"Item {item.id} was closed, because its batch of written texts is decided.")
    if item.state is ItemState.CLOSED:
        raise AlreadySettled(f"Item {item.id} was closed when another model went live. It needs no answer any more.")
    return item


def item_meant(session: Session, subject: CardRef) -> int:
    """The id of the item of a control, for reading. Raises NotFound."""
    item = session.get(ReviewItem, subject.id)
    if item is None:
        raise _gone(subject)
    subject.require(item.opened_at)
    return item.id


def _by_id(lines: Found) -> dict[int, LockedItem]:
    """The items of these lines. A prediction with several flags has several lines."""
    found: dict[int, LockedItem] = {}
    for *values, reason, flagged_by in lines:
        item = found.get(values[len(_QUEUE)])
        if item is None:
            flags: dict[str, str | None] = {}
            item = LockedItem(QueueFacts(*values[: len(_QUEUE)]), *(*values[len(_QUEUE) :], flags))
            found[item.id] = item
        if reason is not None:
            item.flags[reason] = flagged_by
    return found


def _with_contents(session: Session, found: dict[int, LockedItem]) -> dict[int, LockedItem]:
    """Add the contents that are not in a prediction. Most sets have none; joining their tables in every case would
    double the time that PostgreSQL takes for an item."""
    elsewhere = [item.id for item in found.values() if item.content_hash is None]
    if not elsewhere:
        return found
    kind = kind_of(session)
    contents = fetch(session, _contents(kind), {"ids": as_list(kind, elsewhere)})
    return found | {item_id: replace(found[item_id], content_hash=content) for item_id, content in contents}


@cache
def _contents(kind: str) -> Select[int, str]:
    return with_content(select(ReviewItem.id, CONTENT_HASH)).where(among(ReviewItem.id, kind, "ids"))


@cache
def _locking(form: str, wait: bool) -> Select[Any]:
    """Built once: building this statement, which every click needs, takes several times as long as running it."""
    wanted = _WANTED.where(among(ReviewItem.id, form, "ids")).order_by(ReviewItem.id)
    return wanted.with_for_update(of=ReviewItem, skip_locked=not wait)


@cache
def _there(kind: str) -> Select[Any]:
    return select(ReviewItem.id).where(among(ReviewItem.id, kind, "ids"))


def _gone(subject: CardRef) -> NotFound:
    return NotFound(f"Item {subject.id} does not exist.")
