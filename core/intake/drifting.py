"""The labels that a drift alarm is about: for a while, further predictions with them are reviewed within the budget.

An alarm of corrections names its label. An alarm of texts for which no label fits is about the labels that the model
gave to most of these texts. Alarms of confidence and volume are about no label: unsure predictions are ranked first
anyway.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.policy import QueuePolicy
from core.quality.drift import Drift
from core.records.drift import DriftAlarm
from core.records.learning import Live
from core.records.predictions import Prediction
from core.records.reviews import Correction, ReviewItem
from core.review.questions import ABOUT_PREDICTION
from core.vocabulary import DriftSign

LASTS = timedelta(days=7)  # the same time for which a prediction waits
FEWEST = 2  # texts for which no label fits, of a label that an alarm is about
SHARE = 0.1  # of all such texts


def drifting_labels(session: Session, queue_id: int, policy: QueuePolicy, now: datetime) -> Mapping[str, DriftSign]:
    """The labels of the alarms of the last seven days. Empty without a budget, and once another model has gone live."""
    if policy.flagging.limit is None or not policy.flagging.drift:
        return {}
    alarms = (
        select(DriftAlarm.labels)
        .outerjoin(Live, Live.queue_id == DriftAlarm.queue_id)
        .where(DriftAlarm.queue_id == queue_id, DriftAlarm.created_at >= now - LASTS)
        .where(Live.changed_at.is_(None) | (Live.changed_at <= DriftAlarm.created_at))
        .order_by(DriftAlarm.id)
    )
    return {label: DriftSign(sign) for labels in session.scalars(alarms) for label, sign in labels.items()}


def labels_about(session: Session, queue_id: int, day: datetime, found: Sequence[Drift]) -> dict[str, DriftSign]:
    """The labels that alarms are about, each with the most certain sign. day: when the last day of the windows
    began."""
    about: dict[str, DriftSign] = {}
    for drift in sorted(found, key=lambda one: -one.p_value):
        if drift.sign is DriftSign.NONE_OF_THESE:
            labels = _of_none_of_these(session, queue_id, day - timedelta(days=drift.days - 1))
            about |= dict.fromkeys(labels, drift.sign)
        elif drift.label is not None:
            about[drift.label] = drift.sign
    return about


def _of_none_of_these(session: Session, queue_id: int, since: datetime) -> list[str]:
    counted = (
        select(Prediction.label, func.count())
        .join(ReviewItem, ReviewItem.prediction_id == Prediction.id)
        .join(Correction, Correction.item_id == ReviewItem.id)
        .where(Prediction.queue_id == queue_id, Prediction.created_at >= since, Prediction.label.is_not(None))
        .where(ABOUT_PREDICTION, Correction.is_current, Correction.label.is_(None))
        .group_by(Prediction.label)
    )
    counts = {str(label): count for label, count in session.execute(counted)}
    least = max(FEWEST, SHARE * sum(counts.values()))
    return sorted(label for label, count in counts.items() if count >= least)
