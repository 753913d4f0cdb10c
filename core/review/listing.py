"""Items and corrections in pages, for other systems. No text: whoever sent a prediction has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from core.records.predictions import Prediction
from core.records.reviews import Correction, ReviewItem
from core.vocabulary import Destination, ErrorReason, ItemState, Reason, Settler


@dataclass(frozen=True)
class ItemLine:
    """One review item. Votes are left out: nobody sees them before an item is settled."""

    id: int
    external_id: str
    model_version: str
    model_label: str | None
    confidence: float | None
    flags: tuple[Reason, ...]
    state: ItemState
    blind: bool
    opened_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True)
class CorrectionLine:
    """What an item was settled to. label: None for "none of these"."""

    id: int
    item_id: int
    external_id: str
    model_version: str
    model_label: str | None
    label: str | None
    model_was_right: bool
    reason: ErrorReason | None
    note: str
    tally: dict[str, int]
    settled_by: Settler
    destination: Destination
    guideline_version: int
    settled_at: datetime


def item_page(session: Session, queue_id: int, state: ItemState | None, after: int, limit: int) -> list[ItemLine]:
    """At most `limit` items with a larger id than `after`, oldest first; in this state, or in any."""
    wanted = (
        select(ReviewItem)
        .where(ReviewItem.queue_id == queue_id, ReviewItem.id > after)
        .options(selectinload(ReviewItem.prediction, Prediction.flags))
        .order_by(ReviewItem.id)
        .limit(limit)
    )
    if state is not None:
        wanted = wanted.where(ReviewItem.state == state)
    return [_item_line(item, item.prediction) for item in session.scalars(wanted)]


def correction_page(
    session: Session, queue_id: int, since: datetime | None, after: int, limit: int, settled_by: datetime
) -> list[CorrectionLine]:
    """At most `limit` current corrections with a larger id than `after`, oldest first; only those settled at `since`
    or later.

    The page ends before the first one that was settled after `settled_by`, which should lie a few seconds back: ids are
    given out before the commit, so a younger one may be visible before an older one, and a reader who went on from the
    younger one would never see the older.
    """
    wanted = (
        select(Correction)
        .where(Correction.queue_id == queue_id, Correction.id > after, Correction.is_current)
        .order_by(Correction.id)
        .limit(limit)
    )
    if since is not None:
        wanted = wanted.where(Correction.settled_at >= since)
    found = session.scalars(wanted).all()
    return [_correction_line(row, row.item.prediction) for row in _until(found, settled_by)]


def _until(rows: Sequence[Correction], moment: datetime) -> Sequence[Correction]:
    fresh = next((place for place, row in enumerate(rows) if row.settled_at > moment), len(rows))
    return rows[:fresh]


def _item_line(item: ReviewItem, prediction: Prediction) -> ItemLine:
    return ItemLine(
        id=item.id,
        external_id=prediction.external_id,
        model_version=prediction.model_version,
        model_label=prediction.label,
        confidence=prediction.confidence,
        flags=tuple(flag.reason for flag in prediction.flags),
        state=item.state,
        blind=item.blind,
        opened_at=item.opened_at,
        settled_at=item.settled_at,
    )


def _correction_line(row: Correction, prediction: Prediction) -> CorrectionLine:
    return CorrectionLine(
        id=row.id,
        item_id=row.item_id,
        external_id=prediction.external_id,
        model_version=prediction.model_version,
        model_label=prediction.label,
        label=row.label,
        model_was_right=row.model_was_right,
        reason=row.reason,
        note=row.note,
        tally=row.tally,
        settled_by=row.settled_by,
        destination=row.destination,
        guideline_version=row.guideline_version,
        settled_at=row.settled_at,
    )
