"""The settled answers of the present model, in which weak slices are searched."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from core.learning.lifecycle.models import answering_model
from core.quality.slices import KnownRow
from core.records.predictions import Flag, Prediction
from core.records.reviews import Correction, ReviewItem
from core.review.questions import ABOUT_PREDICTION
from core.vocabulary import Reason

NEWEST = 3_000  # rows: more take longer than a click waits


def _flagged_for(reason: Reason) -> ColumnElement[bool]:
    return select(Flag.id).where(Flag.prediction_id == Prediction.id, Flag.reason == reason).exists()


# People were asked about a slice because it is weak: such a row says nothing about the others, unless a lot drew it.
_OF_SLICE = _flagged_for(Reason.WEAK_SLICE)
_REVIEWED = (Prediction.flag_probability >= 1) & ~_OF_SLICE


def known_rows(session: Session, queue_id: int, newest: int = NEWEST) -> list[KnownRow]:
    """The settled answers of the live model since it went live, or of the sender's newest version, newest first: rows
    that a rule sent to people or that the audit drew. Left out are rows that only a person flagged, erased rows, and
    rows about which people were asked because their slice is weak."""
    answering = answering_model(session, queue_id)
    if answering is None:
        return []
    found = (
        select(ReviewItem.id, Prediction, Correction.model_was_right, Correction.reason, Correction.label, _REVIEWED)
        .join(Prediction, Prediction.id == ReviewItem.prediction_id)
        .join(Correction, Correction.item_id == ReviewItem.id)
        .where(Correction.queue_id == queue_id, Correction.is_current, ABOUT_PREDICTION)
        .where(
            Prediction.model_version == answering.name, Prediction.erased_at.is_(None), Prediction.label.is_not(None)
        )
        .where(_REVIEWED | _flagged_for(Reason.AUDIT))
        .order_by(ReviewItem.id.desc())
        .limit(newest)
    )
    if answering.since is not None:
        found = found.where(Prediction.created_at >= answering.since)
    return [
        _row(item_id, row, not right, why, label, bool(by_rule))
        for item_id, row, right, why, label, by_rule in session.execute(found)
    ]


def present_version(session: Session, queue_id: int) -> str | None:
    """The live model's name, or the sender's newest version. None: there is no prediction."""
    answering = answering_model(session, queue_id)
    return answering.name if answering else None


def _row(
    item_id: int, row: Prediction, wrong: bool, why: str | None, settled: str | None, reviewed: bool
) -> KnownRow:  # fmt: skip
    return KnownRow(
        item_id=item_id,
        text=row.text,
        fields=row.fields,
        label=row.label or "",
        second=second_label(row.label, row.probabilities or {}),
        wrong=wrong,
        reviewed=reviewed,
        why=why,
        settled=settled,
    )


def second_label(label: str | None, probabilities: Mapping[str, float]) -> str | None:
    """The label with the next probability. None: the sender gave no others."""
    others = {name: chance for name, chance in probabilities.items() if name != label}
    return max(others, key=lambda name: (others[name], name)) if others else None
