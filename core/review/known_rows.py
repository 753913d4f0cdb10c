"""The settled answers of the present model, which are searched for weak slices."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.learning.lifecycle.models import live_version
from core.quality.slices import KnownRow
from core.records.learning import Live
from core.records.predictions import Flag, Prediction
from core.records.reviews import Correction, ReviewItem
from core.review.questions import ABOUT_PREDICTION
from core.vocabulary import Reason

NEWEST = 3_000  # rows: more take longer than a click waits

_AUDITED = select(Flag.id).where(Flag.prediction_id == Prediction.id, Flag.reason == Reason.AUDIT).exists()
_REVIEWED = Prediction.flag_probability >= 1


def known_rows(session: Session, queue_id: int, newest: int = NEWEST) -> list[KnownRow]:
    """The settled answers of the live model since it went live, or of the sender's newest version, newest first: rows
    that a rule sent to people or that the audit drew. Rows that only a person flagged, and erased ones, are left
    out."""
    live = live_version(session, queue_id)
    since = session.get_one(Live, queue_id).changed_at if live else None
    model = live.name if live else _newest_version(session, queue_id)
    found = (
        select(ReviewItem.id, Prediction, Correction.model_was_right, Correction.reason)
        .join(Prediction, Prediction.id == ReviewItem.prediction_id)
        .join(Correction, Correction.item_id == ReviewItem.id)
        .where(Correction.queue_id == queue_id, Correction.is_current, ABOUT_PREDICTION)
        .where(Prediction.model_version == model, Prediction.erased_at.is_(None), Prediction.label.is_not(None))
        .where(_REVIEWED | _AUDITED)
        .order_by(ReviewItem.id.desc())
        .limit(newest)
    )
    rows = session.execute(found if since is None else found.where(Prediction.created_at >= since))
    return [_row(item_id, row, bool(right), why) for item_id, row, right, why in rows]


def _newest_version(session: Session, queue_id: int) -> str | None:
    newest = select(Prediction.model_version).where(Prediction.queue_id == queue_id, Prediction.label.is_not(None))
    return session.scalar(newest.order_by(Prediction.created_at.desc()).limit(1))


def _row(item_id: int, row: Prediction, right: bool, why: str | None) -> KnownRow:
    others = {label: chance for label, chance in (row.probabilities or {}).items() if label != row.label}
    return KnownRow(
        item_id=item_id,
        text=row.text,
        fields=row.fields,
        label=row.label or "",
        second=max(others, key=lambda label: (others[label], label)) if others else None,
        wrong=not right,
        reviewed=row.flag_probability >= 1,
        why=why,
    )
