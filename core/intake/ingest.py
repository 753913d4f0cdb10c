"""A prediction arrives: stored once, and sent to people if it deserves a look."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.database import insert
from core.errors import Refusal
from core.hashing import content_hash, unit_interval
from core.intake.flagging import FlagReason, reasons_to_review
from core.intake.predictions import NewPrediction
from core.policy import QueuePolicy
from core.queues import queue_named
from core.records.predictions import Flag, Prediction
from core.records.queues import Queue
from core.records.reviews import ReviewItem
from core.review.items import open_item
from core.vocabulary import Reason


@dataclass(frozen=True)
class Ingested:
    """new: rows stored now; repeated: rows that were there already; flagged: of the new ones, sent to people."""

    new: int
    repeated: int
    flagged: int


def record_predictions(
    session: Session, batch: Sequence[NewPrediction], now: datetime, policy: QueuePolicy
) -> Ingested:
    """Store each prediction once (external id + model version) and open an item for those that deserve a look.
    Safe to repeat: what is there already stays as it is, and what was erased does not come back under any version.
    Batches of up to 1,000 keep the transaction short."""
    queue = _open_queue(session, policy)
    new = _insert(session, queue, [_as_stored(row, policy) for row in batch], now)
    flagged = 0
    for prediction in new:
        reasons = _reasons(prediction, policy)
        if reasons:
            flagged += 1
            _flag(session, prediction, reasons, now, policy, person=None)
            open_item(session, prediction, queue, now, policy)
    return Ingested(new=len(new), repeated=len(batch) - len(new), flagged=flagged)


def flag_for_review(
    session: Session, prediction: NewPrediction, person: str, now: datetime, policy: QueuePolicy
) -> int:
    """A person asks for a look at this text, whatever the model thinks. Returns the item's id.

    Locks the prediction if it was there. Raises Refusal if it is under review already.
    """
    queue = _open_queue(session, policy)
    if _erased_ids(session, queue, [prediction]):
        raise Refusal("The text of this message was erased on request, so it cannot be flagged again.")
    prediction = _as_stored(prediction, policy)
    stored = next(iter(_insert(session, queue, [prediction], now)), None) or _locked(session, queue, prediction)
    item_id = _item_about(session, queue, prediction.external_id)
    if item_id is not None:
        raise Refusal(f"This message is under review already (item {item_id}).", item_id=item_id)
    reason = FlagReason(Reason.PERSON, "a person asked for a look", 1.0)
    _flag(session, stored, (reason,), now, policy, person)
    return open_item(session, stored, queue, now, policy)


def _item_about(session: Session, queue: Queue, external_id: str) -> int | None:
    """Whatever model version looked at it: the same message is one item, also after a promotion."""
    return session.scalar(
        select(ReviewItem.id)
        .join(Prediction, Prediction.id == ReviewItem.prediction_id)
        .where(Prediction.queue_id == queue.id, Prediction.external_id == external_id)
        .limit(1)
    )


def _open_queue(session: Session, policy: QueuePolicy) -> Queue:
    """Shared by those who store predictions, and waited for by whoever erases some (core/erasure.py)."""
    queue_id = queue_named(session, policy.name).id
    return session.get_one(Queue, queue_id, with_for_update={"read": True}, populate_existing=True)


def _erased_ids(session: Session, queue: Queue, batch: Sequence[NewPrediction]) -> set[str]:
    return set(
        session.scalars(
            select(Prediction.external_id).where(
                Prediction.queue_id == queue.id,
                Prediction.external_id.in_({row.external_id for row in batch}),
                Prediction.erased_at.is_not(None),
            )
        )
    )


def _as_stored(row: NewPrediction, policy: QueuePolicy) -> NewPrediction:
    """Where the policy keeps no originals, nothing made from one is stored either: the hash is of the masked text."""
    stored = policy.privacy.stored
    return replace(row, text=stored(row.text), fields={name: stored(value) for name, value in row.fields.items()})


def _insert(session: Session, queue: Queue, batch: Sequence[NewPrediction], now: datetime) -> list[Prediction]:
    """Those of the batch that were not there yet, in its order."""
    erased = _erased_ids(session, queue, batch)
    batch = [row for row in batch if row.external_id not in erased]
    if not batch:
        return []
    values = [
        {
            "queue_id": queue.id,
            "external_id": row.external_id,
            "model_version": row.model_version,
            "text": row.text,
            "image_url": row.image_url,
            "fields": row.fields,
            "label": row.label,
            "confidence": row.confidence,
            "probabilities": row.probabilities,
            "content_hash": content_hash(row.text, row.image_url),
            "created_at": now,
        }
        for row in batch
    ]
    statement = (
        insert(session, Prediction)
        .values(values)
        .on_conflict_do_nothing(index_elements=["queue_id", "external_id", "model_version"])
        .returning(Prediction)
    )
    return sorted(session.scalars(statement), key=lambda prediction: prediction.id)


def _reasons(prediction: Prediction, policy: QueuePolicy) -> tuple[FlagReason, ...]:
    if prediction.label is None or prediction.confidence is None:
        return ()
    ranked = sorted((prediction.probabilities or {}).values(), reverse=True)
    draw = unit_interval(prediction.external_id, f"audit {prediction.queue_id} {prediction.model_version}")
    second = ranked[1] if len(ranked) > 1 else None
    return reasons_to_review(prediction.label, prediction.confidence, second, draw, policy)


def _flag(
    session: Session,
    prediction: Prediction,
    reasons: Sequence[FlagReason],
    now: datetime,
    policy: QueuePolicy,
    person: str | None,
) -> None:
    for reason in reasons:
        session.add(
            Flag(
                prediction_id=prediction.id,
                reason=reason.reason,
                detail=reason.detail,
                inclusion_probability=reason.inclusion_probability,
                person=person,
                policy_fingerprint=policy.fingerprint,
                created_at=now,
            )
        )
    session.flush()


def _locked(session: Session, queue: Queue, prediction: NewPrediction) -> Prediction:
    return session.scalars(
        select(Prediction)
        .where(
            Prediction.queue_id == queue.id,
            Prediction.external_id == prediction.external_id,
            Prediction.model_version == prediction.model_version,
        )
        .with_for_update(of=Prediction)
    ).one()
