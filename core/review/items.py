"""Review items: opened for flagged predictions, and locked while they are decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row, Table, bindparam, case, func, select
from sqlalchemy.orm import Session

from core.delivery.card_refs import CardRef
from core.errors import AlreadySettled, NotFound
from core.policy import QueuePolicy
from core.records.predictions import Flag, Prediction
from core.records.queues import Queue, QueueFacts
from core.records.reviews import ReviewItem
from core.review.presenting import items_opened
from core.review.questions import ABOUT_PREDICTION, CONTENT_HASH, with_content
from core.storage.bulk import Bulk, insert_returning
from core.storage.database import run
from core.text.content_hash import unit_interval
from core.vocabulary import ItemState, QuestionAbout, Reason

_AUDITED = select(Flag.id).where(Flag.prediction_id == Prediction.id, Flag.reason == Reason.AUDIT).exists()
_FLAGGED_BY = (
    select(Flag.person).where(Flag.prediction_id == Prediction.id, Flag.reason == Reason.PERSON).scalar_subquery()
)
_QUEUE = (Queue.id, Queue.name, Queue.channel, Queue.leads_channel, Queue.guideline_version)
# What every click asks is built once: building it costs several times what running it does.
_LOCKED = with_content(
    select(  # in the order of `LockedItem`
        *_QUEUE,
        ReviewItem.id,
        ReviewItem.state,
        ReviewItem.disputed_because,
        ReviewItem.disputed_values,
        ReviewItem.blind,
        ReviewItem.opened_at,
        ReviewItem.settled_at,
        ReviewItem.about,
        func.coalesce(ReviewItem.prediction_id, ReviewItem.golden_id, ReviewItem.seed_id),
        Prediction.external_id,
        Prediction.model_version,
        case((ABOUT_PREDICTION, Prediction.label)),
        CONTENT_HASH,
        _AUDITED,
        func.coalesce(Prediction.lot_probability, 0.0),
        _FLAGGED_BY,
    )
    .join(Queue, Queue.id == ReviewItem.queue_id)
    .where(ReviewItem.id == bindparam("item_id"))
    .with_for_update(of=ReviewItem)
)
_OPENING = Bulk(
    cast(Table, ReviewItem.__table__),
    same=("queue_id", "about", "state", "disputed_because", "disputed_values", "opened_at"),
    each=("prediction_id", "blind"),
    back=("prediction_id", "id"),
)


@dataclass(frozen=True)
class LockedItem:
    """An item and what it is about, locked until the transaction ends. source_id: of the prediction,
    golden example or seed example that holds its content. The model's label is None where the item is about a stored
    label. audited: the audit drew the prediction, with lot_probability. flagged_by: the person who flagged it,
    if one did."""

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
    audited: bool
    lot_probability: float
    flagged_by: str | None

    @property
    def subject(self) -> CardRef:
        return CardRef.of(self.id, self.opened_at)


@dataclass(frozen=True)
class Seen:
    """A prediction for review. has_guess: a model predicted it. audited: it was drawn by the audit."""

    prediction_id: int
    content_hash: str
    has_guess: bool
    audited: bool = False


def open_items(
    session: Session, predictions: Sequence[Seen], queue: Queue, now: datetime, policy: QueuePolicy
) -> list[int]:
    """Show the predictions to the queue's reviewers; returns the items' ids, in this order.

    An audited one is blind; of the others it depends on the content alone, so the same text is shown in the same way.
    Without a guess there is nothing to hide, and nothing a model got wrong."""
    share = policy.review.blind_share
    undisputed = {"disputed_because": "", "disputed_values": {}}
    about = QuestionAbout.PREDICTION
    same = {"queue_id": queue.id, "about": about, "state": ItemState.OPEN, "opened_at": now} | undisputed
    rows = [
        {
            "prediction_id": seen.prediction_id,
            "blind": seen.has_guess and (seen.audited or unit_interval(seen.content_hash, "blind") < share),
        }
        for seen in predictions
    ]
    item_of: dict[int, int] = dict(insert_returning(session, _OPENING, same, rows))
    ids = [item_of[seen.prediction_id] for seen in predictions]
    items_opened(session, ids, queue, now)
    return ids


def locked_item(session: Session, subject: CardRef) -> LockedItem:
    """The row that decides about votes, skips, settling and adjudication: hold it before checking anything."""
    row: Row[*tuple[Any, ...]] | None = run(session, _LOCKED, {"item_id": subject.id}).first()
    if row is None:
        raise _gone(subject)
    item = LockedItem(QueueFacts(*row[: len(_QUEUE)]), *row[len(_QUEUE) :])
    subject.require(item.opened_at)
    if item.state is ItemState.ERASED:
        raise AlreadySettled(f"The text of item {item.id} was erased, so there is nothing left to review.")
    if item.state is ItemState.CLOSED:
        raise AlreadySettled(f"Item {item.id} was closed when another model went live. It needs no answer any more.")
    return item


def item_meant(session: Session, subject: CardRef) -> int:
    """The id of the item that a control is about, for reading. Raises NotFound."""
    item = session.get(ReviewItem, subject.id)
    if item is None:
        raise _gone(subject)
    subject.require(item.opened_at)
    return item.id


def _gone(subject: CardRef) -> NotFound:
    return NotFound(f"Item {subject.id} does not exist.")
