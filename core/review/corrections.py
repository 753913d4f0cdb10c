"""A settled item: its correction, and where that goes."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from core.database import run
from core.delivery import outbox
from core.delivery.events import announce
from core.errors import Refusal
from core.learning.golden import destination, protect
from core.learning.runs import request_run_if_due
from core.policy import QueuePolicy
from core.records.predictions import Flag, Prediction
from core.records.reviews import Correction, ReviewItem
from core.review.consensus import tally
from core.review.items import CurrentAnswer, current_answers
from core.vocabulary import AnswerKind, Audience, Card, Destination, ErrorReason, EventKind, ItemState, Settler

_CHANCES = select(Flag.inclusion_probability).where(Flag.prediction_id == bindparam("prediction_id"))


def settle_item(
    session: Session,
    item: ReviewItem,
    label: str | None,
    votes: Sequence[CurrentAnswer],
    now: datetime,
    queue: QueuePolicy,
) -> None:
    """The reviewers' verdict. The caller holds the item's lock; the current correction is unique per item."""
    winning = [vote for vote in votes if vote.label == label]
    reasons = Counter(vote.reason for vote in winning if vote.reason)
    _settle(
        session,
        item,
        Correction(
            label=label,
            reason=reasons.most_common(1)[0][0] if reasons else None,
            note=next((vote.note for vote in winning if vote.note), ""),
            tally=tally([vote.label for vote in votes]),
            settled_by=Settler.CONSENSUS,
            guideline_version=max(vote.guideline_version for vote in winning),
        ),
        now,
        queue,
    )


def adjudicate_item(
    session: Session,
    item: ReviewItem,
    lead: str,
    kind: AnswerKind,
    label: str | None,
    reason: ErrorReason | None,
    note: str,
    now: datetime,
    queue: QueuePolicy,
) -> None:
    """A lead settles a disputed item. The caller holds the item's lock and has checked that this is a lead."""
    if not kind.is_vote:
        raise Refusal(f"Item {item.id} waits for your decision: choose a label or “None of these”.")
    votes = [answer.label for answer in current_answers(session, item.id) if answer.kind.is_vote]
    _settle(
        session,
        item,
        Correction(
            label=label,
            reason=reason,
            note=note,
            tally=tally(votes),
            settled_by=Settler.LEAD,
            lead=lead,
            guideline_version=item.prediction.queue.guideline_version,
        ),
        now,
        queue,
    )


def _settle(session: Session, item: ReviewItem, correction: Correction, now: datetime, queue: QueuePolicy) -> None:
    prediction = item.prediction
    correction.queue_id, correction.item_id = item.queue_id, item.id
    correction.model_was_right = correction.label is not None and correction.label == prediction.label
    correction.policy_fingerprint, correction.settled_at = queue.fingerprint, now
    correction.destination, probability = destination(
        blind=item.blind and bool(prediction.text),  # an image alone cannot be a golden text
        model_was_right=correction.model_was_right,
        label=correction.label,
        content_hash=prediction.content_hash,
        flagged_with=_inclusion_probability(session, prediction.id),
        policy=queue,
    )
    session.add(correction)
    item.state, item.settled_at, item.disputed_because = ItemState.SETTLED, now, ""
    session.flush()
    if correction.destination is Destination.GOLDEN:
        protect(session, correction, prediction, probability, now)
    request_run_if_due(session, prediction.queue, now, queue)
    outbox.show(session, Card.REVIEW_ITEM, item.id, Audience.REVIEWERS, prediction.queue, now, urgent=True)
    announce(session, EventKind.ITEM_SETTLED, correction.id, item.queue_id, _told(correction, prediction), now)


def _told(correction: Correction, prediction: Prediction) -> dict[str, Any]:
    """What other systems hear of it."""
    return {
        "queue": prediction.queue.name,
        "item_id": correction.item_id,
        "correction_id": correction.id,
        "external_id": prediction.external_id,
        "model_version": prediction.model_version,
        "model_label": prediction.label,
        "label": correction.label,
        "model_was_right": correction.model_was_right,
        "reason": correction.reason,
        "settled_by": correction.settled_by,
        "settled_at": correction.settled_at.isoformat(),
    }


def _inclusion_probability(session: Session, prediction_id: int) -> float:
    """How likely a prediction like this one was to be flagged: the likeliest of its reasons."""
    chances: Sequence[float] = run(session, _CHANCES, {"prediction_id": prediction_id}).scalars().all()
    return max(chances)
