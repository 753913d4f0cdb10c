"""Expiry of a waiting candidate: "no decision" is stored, and the leads are asked again."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.delivery import notices
from core.learning.lifecycle.presenting import model_changed
from core.learning.lifecycle.promotion import note_decision
from core.policy import QueuePolicy
from core.records.learning import Live, ModelVersion
from core.vocabulary import DecisionKind, ModelState, NoticeKind


def expire_pending(session: Session, queue: QueuePolicy, now: datetime) -> None:
    """Store "no decision" for the queue's candidate that has waited too long, and ask again: its time and its reminder
    begin again, and approvals stay valid. Locks the Live row, as every decision does. Repeating it is safe."""
    hours = queue.rollout.expiry_hours
    asked_at = func.coalesce(ModelVersion.asked_at, ModelVersion.created_at)
    waiting = (
        select(ModelVersion.id, ModelVersion.queue_id)
        .where(ModelVersion.queue.has(name=queue.name), ModelVersion.state == ModelState.CANDIDATE)
        .where(asked_at <= now - timedelta(hours=hours))
    )
    for model_id, queue_id in session.execute(waiting).all() if hours else ():
        live = session.get_one(Live, queue_id, with_for_update=True, populate_existing=True)
        model = session.get_one(ModelVersion, model_id, populate_existing=True)
        if model.state is ModelState.CANDIDATE and asked_since(model) <= now - timedelta(hours=hours):
            _ask_again(session, live, model, now, queue)


def asked_since(model: ModelVersion) -> datetime:
    """When the leads were last asked about a candidate."""
    return model.asked_at or model.created_at


def _ask_again(session: Session, live: Live, model: ModelVersion, now: datetime, queue: QueuePolicy) -> None:
    model.asked_at, model.reminded_at = now, None
    note_decision(session, live, model, DecisionKind.EXPIRE, [], "", now, queue)
    model_changed(session, model.id, now)
    values = {"queue": queue.shown_title, "model": model.name, "hours": queue.rollout.expiry_hours}
    key = f"{NoticeKind.DECISION_EXPIRED}:{model.id}:{now:%Y-%m-%dT%H:%M}"
    notices.notify(session, NoticeKind.DECISION_EXPIRED, key, model.queue.leads_channel, None, values, now)
