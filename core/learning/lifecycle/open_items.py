"""The open items of a queue after another model has gone live: the job that renews or closes them, and their counts on
a model's card. The work itself is in core/review/renewal.py."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import jobs
from core.policy import QueuePolicy
from core.records.learning import Live, ModelVersion
from core.records.reviews import ReviewItem, Suggestion

RENEW = "renew_items"  # the job


@dataclass(frozen=True)
class OpenItems:
    """rule: of the policy, for a model that is not live yet. renewed: items that show the model's suggestion (while no
    later one is live); closed: those that were closed for it."""

    rule: Literal["ask", "close"]
    renewed: int
    closed: int


def open_items_of(session: Session, model_id: int, policy: QueuePolicy) -> OpenItems:
    def counted(found: object) -> int:
        return session.scalar(select(func.count()).where(found)) or 0  # type: ignore[arg-type]

    return OpenItems(
        policy.rollout.open_items,
        counted(Suggestion.model_id == model_id),
        counted(ReviewItem.closed_for == model_id),
    )


def request_renewal(
    session: Session, live: Live, model: ModelVersion, may_close: bool, now: datetime, part: str = ""
) -> None:
    """Have open items renewed, since the live model has changed. may_close: whether the policy's rule may close any.
    part: names a second request for the same model. The caller holds the Live row."""
    payload = {"model_id": model.id, "queue": model.queue.name, "may_close": may_close}
    key = f"{RENEW}:{live.queue_id}:{live.changes}{part}"
    jobs.enqueue(session, RENEW, key, payload, now, mutex=f"{RENEW}:{model.queue.name}")
