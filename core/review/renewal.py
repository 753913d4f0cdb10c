"""Open items after a promotion, in batches: they show the new model's suggestion, or are closed if the policy says so.
Blind items and second looks at stored labels do not change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from core.learning.data.inputs import Input
from core.learning.data.pixels import with_pixels
from core.queues import queue_named
from core.records.predictions import Flag, Prediction
from core.records.reviews import Answer, ReviewItem, Suggestion
from core.review.presenting import item_changed
from core.review.questions import ABOUT_PREDICTION
from core.storage.database import insert
from core.vocabulary import AnswerKind, ItemState, Reason

PIECE = 200  # items in one transaction: no click waits long
ANSWERS = (AnswerKind.LABEL, AnswerKind.NONE_OF_THESE, AnswerKind.CANNOT_JUDGE)
# A person wants to know, chance chose it, or the world changed: no model's doubt alone opened the item.
STAYS = (Reason.PERSON, Reason.AUDIT, Reason.HELD_BACK, Reason.DRIFT)

_UNDECIDED = ReviewItem.state.in_((ItemState.OPEN, ItemState.DISPUTED))


@dataclass(frozen=True)
class Waiting:
    """An undecided item whose card shows a suggestion, with what it is about."""

    item_id: int
    input: Input


def close_outlived(session: Session, queue_name: str, model_id: int, now: datetime) -> int:
    """Close a batch of the open items that are unanswered and were flagged only because the former model was unsure.
    Locks them. Returns how many; 0: there are no more. Repeating it is safe."""
    found = (
        select(ReviewItem)
        .where(ReviewItem.queue_id == queue_named(session, queue_name).id, _may_be_closed())
        .order_by(ReviewItem.id)
        .limit(PIECE)
        .with_for_update(of=ReviewItem)
    )
    items = session.scalars(found).unique().all()
    for item in items:
        item.state, item.settled_at, item.closed_for = ItemState.CLOSED, now, model_id
        item_changed(session, item.id, now)
    return len(items)


def waiting_items(session: Session, queue_name: str, model_version: str, after: int) -> Sequence[Waiting]:
    """A piece of the items that can show a suggestion of another model than `model_version`, with larger ids than
    `after`, oldest first."""
    queue_id = queue_named(session, queue_name).id
    found = session.execute(
        select(ReviewItem.id, Prediction.text, Prediction.image_url, Prediction.fields)
        .join(Prediction, Prediction.id == ReviewItem.prediction_id)
        .where(
            ReviewItem.queue_id == queue_id,
            ReviewItem.id > after,
            _UNDECIDED,
            ABOUT_PREDICTION,
            ~ReviewItem.blind,
            Prediction.erased_at.is_(None),
            Prediction.model_version != model_version,
        )
        .order_by(ReviewItem.id)
        .limit(PIECE)
    ).all()
    inputs = with_pixels(session, queue_id, [Input.of(text, url, fields) for _item_id, text, url, fields in found])
    return [Waiting(row[0], one) for row, one in zip(found, inputs, strict=True)]


def store_suggestions(session: Session, model_id: int, said: Mapping[int, Mapping[str, float]], now: datetime) -> int:
    """Store the new model's answers as suggestions. said: item -> label -> probability. Items that were decided
    meanwhile are left alone. Locks the items; returns how many cards will be redrawn. Repeating it is safe."""
    still = session.scalars(
        select(ReviewItem.id).where(ReviewItem.id.in_(said), _UNDECIDED).order_by(ReviewItem.id).with_for_update()
    ).all()
    for item_id in still:
        label = max(said[item_id], key=lambda name: (said[item_id][name], name))
        values = {"model_id": model_id, "label": label, "confidence": said[item_id][label],
                  "probabilities": dict(said[item_id]), "created_at": now}  # fmt: skip
        row = insert(session, Suggestion).values(item_id=item_id, **values)
        session.execute(row.on_conflict_do_update(index_elements=["item_id"], set_=values))
        item_changed(session, item_id, now)
    return len(still)


def reopen(session: Session, item_id: int, now: datetime) -> bool:
    """Reopen a closed item, because a person flagged its message again. Locks the item. False: it was not closed."""
    reopened = session.execute(
        update(ReviewItem)
        .where(ReviewItem.id == item_id, ReviewItem.state == ItemState.CLOSED)
        .values(state=ItemState.OPEN, settled_at=None, closed_for=None)
        .returning(ReviewItem.id)
    ).first()
    if reopened is not None:
        item_changed(session, item_id, now)
    return reopened is not None


def _may_be_closed() -> ColumnElement[bool]:
    answered = select(Answer.id).where(Answer.item_id == ReviewItem.id, Answer.is_current, Answer.kind.in_(ANSWERS))
    stays = select(Flag.id).where(Flag.prediction_id == ReviewItem.prediction_id, Flag.reason.in_(STAYS))
    return (ReviewItem.state == ItemState.OPEN) & ABOUT_PREDICTION & ~answered.exists() & ~stays.exists()
