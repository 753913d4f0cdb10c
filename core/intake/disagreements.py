"""Predictions to which another model gives another label, put on the waiting list of a queue with a budget.

The audit's draw was made at their arrival, so an audited prediction waits for this turn as the others do. The draw of
those that are held back is made now, as it is for a rule that flags a prediction at its arrival.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from core.intake.reasons.base import FlagReason
from core.intake.reasons.disagreement import disagreement
from core.intake.reasons.held_back import held_back_purpose
from core.intake.scores import score_of
from core.intake.waiting import Candidate, put_in_line
from core.policy import QueuePolicy
from core.records.predictions import Flag, Prediction, WaitingPrediction
from core.records.reviews import ReviewItem
from core.review.questions import ABOUT_PREDICTION
from core.storage.database import insert
from core.text.content_hash import unit_interval
from core.vocabulary import Reason

_AUDITED = select(Flag.id).where(Flag.prediction_id == Prediction.id, Flag.reason == Reason.AUDIT).exists()
_HAS_ITEM = select(ReviewItem.id).where(ReviewItem.prediction_id == Prediction.id, ABOUT_PREDICTION).exists()
_HAD_ITS_TURN = (
    select(WaitingPrediction.id)
    .where(WaitingPrediction.prediction_id == Prediction.id, WaitingPrediction.reason != Reason.AUDIT)
    .exists()
)


def flag_disagreements(
    session: Session, model: str, said: Mapping[int, Mapping[str, float]], now: datetime, policy: QueuePolicy
) -> int:
    """Put predictions on the waiting list to which `model` gives another label. said: prediction -> label ->
    probability, by that model. Returns how many were put there. Left out are predictions that are no traffic, that a
    rule flagged already, or that a person reported; without a budget, all. Repeating it is safe."""
    if policy.flagging.limit is None or not policy.flagging.disagreement or not said:
        return 0
    found = (
        select(Prediction)
        .where(Prediction.id.in_(said), Prediction.erased_at.is_(None), Prediction.lot_probability > 0)
        .where(~_HAD_ITS_TURN, or_(_AUDITED, ~_HAS_ITEM))
        .order_by(Prediction.id)
    )
    others = {one: max(chances, key=lambda name: (chances[name], name)) for one, chances in said.items()}
    rows = [
        (row, reason)
        for row in session.scalars(found)
        if (reason := disagreement(row.label, others[row.id], model)) is not None
    ]
    if rows:
        put_in_line(session, rows[0][0].queue_id, [_candidate(row, reason) for row, reason in rows], now)
        _hold_back(session, [row for row, _reason in rows], now, policy)
    return len(rows)


def _candidate(row: Prediction, reason: FlagReason) -> Candidate:
    scored_by = row.model_version if row.suspicion is not None else None
    return Candidate(row.id, reason.reason, reason.values, score_of(row), scored_by)


def _hold_back(session: Session, rows: Sequence[Prediction], now: datetime, policy: QueuePolicy) -> None:
    """Draw which of them never train, as `held_back` does for the rules."""
    share = policy.flagging.held_back_share if policy.flagging.promised is not None else 0.0
    if not share:
        return
    ids = [row.id for row in rows]
    session.execute(update(Prediction).where(Prediction.id.in_(ids)).values(held_back_probability=share))
    for row in rows:
        if unit_interval(row.content_hash, held_back_purpose(row.queue_id)) < share:
            values = {
                "prediction_id": row.id, "reason": Reason.HELD_BACK, "values": {"share": share},
                "inclusion_probability": share, "policy_fingerprint": policy.fingerprint, "created_at": now,
            }  # fmt: skip
            session.execute(insert(session, Flag).values(**values).on_conflict_do_nothing())
