"""The live model of a queue, and facts about any model."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.queues import queue_named
from core.records.learning import Evaluation, Live, ModelVersion, model_name
from core.records.predictions import Prediction
from core.records.queues import Queue
from core.storage.ready import Found, Question, ask_all


@dataclass(frozen=True)
class Answering:
    """A model whose answers are used. since: when it went live; None: it is the sender's, or the time was not noted."""

    name: str
    since: datetime | None = None


def live_model_id(session: Session, queue_name: str) -> int | None:
    return session.scalar(select(Live.model_id).where(Live.queue_id == queue_named(session, queue_name).id))


def model_id_of(session: Session, queue: Queue, version: int) -> int:
    """The id of the queue's model with this number. Raises NotFound."""
    mine = select(ModelVersion.id).where(ModelVersion.queue_id == queue.id, ModelVersion.version == version)
    found = session.scalar(mine)
    if found is None:
        raise NotFound(f"The queue {queue.name} has no model {model_name(version)}.")
    return found


def live_version(session: Session, queue_id: int) -> ModelVersion | None:
    live = session.get(Live, queue_id)
    return session.get(ModelVersion, live.model_id) if live and live.model_id else None


def live_model(queue_id: int) -> Question[Answering | None]:
    """The live model as values, for callers that need nothing else of it."""
    return Question(_live(), {"queue_id": queue_id}, _live_of)


def answering_model(session: Session, queue_id: int) -> Answering | None:
    """The live model, or else the newest version of the sender's model. None: no model of the sender has answered
    yet."""
    sent = Question(_sent(), {"queue_id": queue_id}, _sent_of)
    found: list[Answering | None] = ask_all(session, [live_model(queue_id), sent])
    return found[0] or found[1]


def newest_evaluation(session: Session, model_id: int) -> Evaluation:
    return session.scalars(
        select(Evaluation).where(Evaluation.model_id == model_id).order_by(Evaluation.id.desc()).limit(1)
    ).one()


def _live_of(rows: Found) -> Answering | None:
    return next((Answering(model_name(version), since) for version, since in rows), None)


def _sent_of(rows: Found) -> Answering | None:
    return next((Answering(version) for [version] in rows), None)


@cache
def _live() -> Select[int, datetime | None]:
    found = select(ModelVersion.version, Live.changed_at).join(Live, Live.model_id == ModelVersion.id)
    return found.where(Live.queue_id == bindparam("queue_id"))


@cache
def _sent() -> Select[str]:
    newest = select(Prediction.model_version).where(Prediction.queue_id == bindparam("queue_id"))
    return newest.where(Prediction.label.is_not(None)).order_by(Prediction.created_at.desc()).limit(1)
