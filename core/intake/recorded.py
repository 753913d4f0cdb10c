"""The state of a prediction that was sent, for senders that repeat it or ask about it."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.intake.predictions import NewPrediction
from core.policy import QueuePolicy
from core.queues import queue_named
from core.records.predictions import Prediction
from core.records.reviews import ReviewItem
from core.review.questions import ABOUT_PREDICTION
from core.text.content_hash import content_hash


@dataclass(frozen=True)
class Recorded:
    """item_id: its review item, None if it was not flagged. same_content: it was stored with this very input."""

    label: str
    confidence: float
    probabilities: dict[str, float]
    item_id: int | None
    same_content: bool


def recorded(session: Session, sent: NewPrediction, policy: QueuePolicy) -> Recorded:
    """The row with this external id and model version. Raises NotFound if there is none with a label."""
    found = session.execute(
        select(Prediction, ReviewItem.id)
        .outerjoin(ReviewItem, (ReviewItem.prediction_id == Prediction.id) & ABOUT_PREDICTION)
        .where(
            Prediction.queue_id == queue_named(session, policy.name).id,
            Prediction.external_id == sent.external_id,
            Prediction.model_version == sent.model_version,
        )
    ).first()
    row, item_id = found or (None, None)
    if row is None or row.label is None or row.confidence is None:
        raise NotFound(f"No prediction “{sent.external_id}” of {sent.model_version} is stored.")
    same = row.content_hash == content_hash(sent.text, sent.image_url)
    return Recorded(row.label, row.confidence, row.probabilities or {}, item_id, same)
