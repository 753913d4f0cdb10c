"""Webhook events about models: which model answers callers now, and which one it replaced."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.delivery.webhooks import publish
from core.learning.lifecycle.tainted import count_erased_rows
from core.records.learning import Decision, ModelVersion
from core.vocabulary import DecisionKind, EventKind

PROMOTING = (DecisionKind.PROMOTE, DecisionKind.OVERRULE)


def announce(
    session: Session, kind: EventKind, decision: Decision, model: ModelVersion, now: datetime, **more: Any
) -> None:
    """Publish the effect of the decision. There is one event of a kind per decision, so repeating it changes
    nothing."""
    former = session.get(ModelVersion, decision.former_model_id) if decision.former_model_id else None
    told = {
        "queue": model.queue.name,
        "model": model.name,
        "model_id": model.id,
        "former_model": former.name if former else None,
        "overruled": decision.kind is DecisionKind.OVERRULE,
        "reason": decision.reason,
        "erased_rows": count_erased_rows(session, model),
        "decided_at": decision.created_at.isoformat(),
    }
    publish(session, kind, decision.id, decision.queue_id, told | more, now)


def announce_end_of_canary(session: Session, model: ModelVersion, now: datetime) -> None:
    """Announce that the model answers all callers, because its canary is over."""
    promoted = select(Decision).where(Decision.model_id == model.id, Decision.kind.in_(PROMOTING))
    decision = session.scalars(promoted.order_by(Decision.id.desc()).limit(1)).one()
    announce(session, EventKind.MODEL_PROMOTED, decision, model, now)
