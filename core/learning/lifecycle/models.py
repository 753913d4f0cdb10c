"""A queue's live model, and the facts about any model."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.queues import queue_named
from core.records.learning import Evaluation, Live, ModelVersion


def live_model_id(session: Session, queue_name: str) -> int | None:
    return session.scalar(select(Live.model_id).where(Live.queue_id == queue_named(session, queue_name).id))


def live_version(session: Session, queue_id: int) -> ModelVersion | None:
    live = session.get(Live, queue_id)
    return session.get(ModelVersion, live.model_id) if live and live.model_id else None


def newest_evaluation(session: Session, model_id: int) -> Evaluation:
    return session.scalars(
        select(Evaluation).where(Evaluation.model_id == model_id).order_by(Evaluation.id.desc()).limit(1)
    ).one()
