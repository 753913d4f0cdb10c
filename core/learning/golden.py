"""The provenance firewall: which corrections become golden, and that nothing golden trains."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.database import insert_for, kind_of, run
from core.hashing import unit_interval
from core.policy import QueuePolicy
from core.records.learning import GoldenExample
from core.records.predictions import Prediction
from core.vocabulary import Destination, Stratum


@dataclass(frozen=True)
class Golden:
    """A golden example as a value."""

    id: int
    text: str
    label: str
    stratum: Stratum
    content_hash: str


def destination(
    *,
    blind: bool,
    model_was_right: bool,
    label: str | None,
    content_hash: str,
    flagged_with: float,
    policy: QueuePolicy,
) -> tuple[Destination, float]:
    """Where a correction goes, and how likely one like it was to go there.

    Only answers given without the model's suggestion may become golden: every error of the model among them, and a
    share of the confirmations, chosen by content hash. flagged_with: the probability with which the prediction came
    before people at all; with the blind share and the confirm share it multiplies to the inclusion probability.
    """
    if label is None:
        return Destination.NOWHERE, 0.0
    if blind and not model_was_right:
        return Destination.GOLDEN, flagged_with * policy.review.blind_share
    confirm_share = policy.golden.confirm_share
    if blind and unit_interval(content_hash, "golden") < confirm_share:
        return Destination.GOLDEN, flagged_with * policy.review.blind_share * confirm_share
    return Destination.TRAINING, 0.0


def protect(
    session: Session,
    correction_id: int,
    prediction_id: int,
    label: str,
    inclusion_probability: float,
    now: datetime,
) -> None:
    """Make a correction golden. The same text twice is one example; the first label stays until a lead changes it."""
    prediction = session.get_one(Prediction, prediction_id)
    example = {
        "queue_id": prediction.queue_id,
        "text": prediction.text,
        "label": label,
        "content_hash": prediction.content_hash,
        "stratum": Stratum.RANDOM if label == prediction.label else Stratum.PAST_ERROR,
        "inclusion_probability": inclusion_probability,
        "correction_id": correction_id,
        "created_at": now,
    }
    run(session, _protecting(kind_of(session)), example)


def golden_set(session: Session, queue_id: int, up_to: int | None = None) -> list[Golden]:
    """The queue's golden examples, oldest first. up_to: only those up to this id, so that a later evaluation of the
    same snapshot sees the set that the snapshot was kept clean of."""
    rows = session.scalars(
        select(GoldenExample)
        .where(
            GoldenExample.queue_id == queue_id,
            GoldenExample.erased_at.is_(None),
            *([GoldenExample.id <= up_to] if up_to is not None else []),
        )
        .order_by(GoldenExample.id)
    )
    return [Golden(row.id, row.text, row.label, row.stratum, row.content_hash) for row in rows]


@cache
def _protecting(kind: str) -> Any:
    new = insert_for(kind, GoldenExample.__table__)
    return new.on_conflict_do_nothing(index_elements=["queue_id", "content_hash"])
