"""Deletion of old models that were trained on erased text. A model contains words of its training rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.learning.lifecycle.presenting import model_changed
from core.learning.lifecycle.runs import request_run
from core.policy import QueuePolicy
from core.queues import queue_named
from core.records.learning import Artifact, Live, ModelVersion
from core.vocabulary import OPERATOR, ModelState, Trigger

# What answers now stays, and so does what leads are about to decide on: the next candidate supersedes it.
PURGED = (ModelState.RETIRED, ModelState.REJECTED, ModelState.SUPERSEDED)


@dataclass(frozen=True)
class Purged:
    """models: names of those whose bytes were deleted now; run: of the retraining; None: one waits already."""

    models: tuple[str, ...]
    run: int | None


def purge_models(session: Session, policy: QueuePolicy, names: Sequence[str], now: datetime) -> Purged:
    """Delete the bytes of those of these models that are no longer live, and ask for a new candidate. What is known of
    a model stays: its hash, reports and decisions. It cannot be brought back. Locks the queue's `Live` row, so that
    none of them goes live meanwhile. Repeating it finds none. names: such as "v3"."""
    queue = queue_named(session, policy.name)
    session.get_one(Live, queue.id, with_for_update=True, populate_existing=True)
    found = session.execute(
        select(ModelVersion, Artifact)
        .join(Artifact, Artifact.model_id == ModelVersion.id)
        .where(ModelVersion.queue_id == queue.id, ModelVersion.state.in_(PURGED), Artifact.purged_at.is_(None))
        .order_by(ModelVersion.version)
    )
    purged = []
    for model, artifact in found.all():
        if model.name in names:
            artifact.content, artifact.purged_at = b"", now
            model_changed(session, model.id, now)
            purged.append(model.name)
    return Purged(tuple(purged), request_run(session, queue, Trigger.COMMAND, OPERATOR, now, policy))
