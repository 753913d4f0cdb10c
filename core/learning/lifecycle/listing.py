"""A queue's models and snapshots, for other systems."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.learning.data.erased_rows import erased_rows
from core.learning.lifecycle.canary import still_answering
from core.learning.lifecycle.models import newest_evaluation
from core.learning.lifecycle.shadow import candidate_in_shadow
from core.policy import QueuePolicy
from core.queues import queue_named
from core.records.learning import ModelVersion, Snapshot, TrainingRun
from core.records.rollout import Canary, Shadow
from core.vocabulary import CanaryState, Coded, ModelState, ShadowState


@dataclass(frozen=True)
class ModelLine:
    """One model and what the golden gate found last. blocks: of `GateBlock`, warnings: of `GateWarning`.

    shadow, canary: None: it never was in one. canary_share: of the requests that it answers while a canary runs, its
    own or that of the model that took over from it; None: none runs."""

    id: int
    name: str
    state: ModelState
    learner: str
    created_at: datetime
    snapshot_id: int | None
    passed: bool
    blocks: tuple[Coded, ...]
    warnings: tuple[Coded, ...]
    shadow: ShadowState | None
    canary: CanaryState | None
    canary_share: float | None


@dataclass(frozen=True)
class SnapshotHead:
    """A snapshot without its rows. erased: the number of rows whose text was erased since; nothing else about a
    snapshot changes."""

    id: int
    content_hash: str
    rows: int
    erased: int


def model_lines(session: Session, queue: QueuePolicy) -> list[ModelLine]:
    """The models, newest first."""
    queue_id = queue_named(session, queue.name).id
    begins = candidate_in_shadow(session, queue_id, queue)
    found = session.execute(
        select(ModelVersion, TrainingRun.snapshot_id)
        .join(TrainingRun, TrainingRun.id == ModelVersion.run_id)
        .where(ModelVersion.queue_id == queue_id)
        .order_by(ModelVersion.id.desc())
    )
    return [_model_line(session, model, snapshot_id, begins is model) for model, snapshot_id in found.all()]


def snapshot_head(session: Session, queue_id: int, snapshot_id: int) -> SnapshotHead:
    """The head of a snapshot. Raises NotFound, also for another queue's snapshot."""
    row = session.get(Snapshot, snapshot_id)
    if row is None or row.queue_id != queue_id:
        raise NotFound(f"This queue has no snapshot {snapshot_id}.")
    return SnapshotHead(row.id, row.content_hash, row.rows, erased_rows(session, snapshot_id)[0])


def training_set_of(session: Session, queue_id: int, model_id: int) -> SnapshotHead:
    """The snapshot on which a model was trained. Raises NotFound, also for another queue's model."""
    model = session.get(ModelVersion, model_id)
    if model is None or model.queue_id != queue_id:
        raise NotFound(f"This queue has no model {model_id}.")
    snapshot_id = session.get_one(TrainingRun, model.run_id).snapshot_id
    if snapshot_id is None:
        raise NotFound(f"The training set of {model.name} is not stored.")
    return snapshot_head(session, queue_id, snapshot_id)


def _model_line(session: Session, model: ModelVersion, snapshot_id: int | None, in_shadow: bool) -> ModelLine:
    evaluation, canary = newest_evaluation(session, model.id), session.get(Canary, model.id)
    share = canary.share if canary and canary.finished_at is None else None
    left = still_answering(session, model.id)
    return ModelLine(
        id=model.id,
        name=model.name,
        state=model.state,
        learner=model.learner,
        created_at=model.created_at,
        snapshot_id=snapshot_id,
        passed=evaluation.passed,
        blocks=tuple(map(Coded.from_dict, evaluation.blocks)),
        warnings=tuple(map(Coded.from_dict, evaluation.warnings)),
        shadow=_shadow_state(session.get(Shadow, model.id), in_shadow),
        canary=canary.state if canary else None,
        canary_share=left.share if left else share,
    )


def _shadow_state(shadow: Shadow | None, in_shadow: bool) -> ShadowState | None:
    """in_shadow: the candidate may not be decided on yet."""
    if shadow is None:
        return ShadowState.WAITING if in_shadow else None
    return ShadowState.FINISHED if shadow.finished_at else ShadowState.RUNNING
