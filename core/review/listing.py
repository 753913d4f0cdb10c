"""Items about predictions and their corrections in pages, for other systems. No text: the sender has it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from core.records.predictions import Flag, Prediction
from core.records.reviews import Correction, ReviewItem
from core.review.questions import ABOUT_PREDICTION
from core.vocabulary import Destination, ErrorReason, ItemState, Reason, Settler


@dataclass(frozen=True)
class ItemLine:
    """One review item. Votes are left out: they are hidden until the item is settled."""

    id: int
    external_id: str
    model_version: str
    model_label: str | None
    confidence: float | None
    flags: tuple[Reason | str, ...]
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
        select(
            ReviewItem.id,
            ReviewItem.prediction_id,
            Prediction.external_id,
            Prediction.model_version,
            Prediction.label,
            Prediction.confidence,
            ReviewItem.state,
            ReviewItem.blind,
            ReviewItem.opened_at,
            ReviewItem.settled_at,
        )
        .join(Prediction, Prediction.id == ReviewItem.prediction_id)
        .where(ReviewItem.queue_id == queue_id, ReviewItem.id > after, ABOUT_PREDICTION)
        .order_by(ReviewItem.id)
        .limit(limit)
    )
    if state is not None:
        wanted = wanted.where(ReviewItem.state == state)
    found = session.execute(wanted).all()
    flags = _flags(session, [row.prediction_id for row in found])
    return [
        ItemLine(
            row.id, row.external_id, row.model_version, row.label, row.confidence, tuple(flags[row.prediction_id]),
            row.state, row.blind, row.opened_at, row.settled_at,
        )
        for row in found
    ]  # fmt: skip


def correction_page(
    session: Session, queue_id: int, since: datetime | None, after: int, limit: int, settled_by: datetime
) -> list[CorrectionLine]:
    """At most `limit` current corrections with a larger id than `after`, oldest first; only those settled at `since`
    or later.

    The page ends before the first one that was settled after `settled_by`, which should lie a few seconds back: ids are
    given out before the commit, so a younger one may be visible before an older one, and a reader who went on from the
    younger one would never see the older."""
    wanted = (
        select(Correction, Prediction.external_id, Prediction.model_version, Prediction.label)
        .options(lazyload(Correction.item))
        .join(ReviewItem, ReviewItem.id == Correction.item_id)
        .join(Prediction, Prediction.id == ReviewItem.prediction_id)
        .where(Correction.queue_id == queue_id, Correction.id > after, Correction.is_current, ABOUT_PREDICTION)
        .order_by(Correction.id)
        .limit(limit)
    )
    if since is not None:
        wanted = wanted.where(Correction.settled_at >= since)
    found = session.execute(wanted).all()
    told = found[: _until([row for row, *_seen in found], settled_by)]
    return [_correction_line(row, external_id, version, label) for row, external_id, version, label in told]


def _flags(session: Session, predictions: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    wanted = select(Flag.prediction_id, Flag.reason).where(Flag.prediction_id.in_(predictions)).order_by(Flag.id)
    for prediction_id, reason in session.execute(wanted):
        found[prediction_id].append(reason)
    return found


def _until(rows: Sequence[Correction], moment: datetime) -> int:
    """How many come before the first that was settled after this moment."""
    return next((place for place, row in enumerate(rows) if row.settled_at > moment), len(rows))


def _correction_line(row: Correction, external_id: str, version: str, model_label: str | None) -> CorrectionLine:
    return CorrectionLine(
        id=row.id,
        item_id=row.item_id,
        external_id=external_id,
        model_version=version,
        model_label=model_label,
        label=row.label,
        model_was_right=bool(row.model_was_right),
        reason=row.reason,
        note=row.note,
        tally=row.tally,
        settled_by=row.settled_by,
        destination=row.destination,
        guideline_version=row.guideline_version,
        settled_at=row.settled_at,
    )
