"""A queue's models and snapshots, for other systems."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.learning.data.erased_rows import erased_rows
from core.learning.lifecycle.models import newest_evaluation
from core.records.learning import ModelVersion, Snapshot, TrainingRun
from core.vocabulary import Coded, ModelState


@dataclass(frozen=True)
class ModelLine:
    """One model and what the golden gate found last. blocks: of `GateBlock`, warnings: of `GateWarning`."""

    id: int
    name: str
    state: ModelState
    learner: str
    created_at: datetime
    snapshot_id: int | None
    passed: bool
    blocks: tuple[Coded, ...]
    warnings: tuple[Coded, ...]


@dataclass(frozen=True)
class SnapshotHead:
    """erased: rows whose text is gone since; the only thing about a snapshot that changes."""

    id: int
    content_hash: str
    rows: int
    erased: int


def model_lines(session: Session, queue_id: int) -> list[ModelLine]:
    """Newest first."""
    found = session.execute(
        select(ModelVersion, TrainingRun.snapshot_id)
        .join(TrainingRun, TrainingRun.id == ModelVersion.run_id)
        .where(ModelVersion.queue_id == queue_id)
        .order_by(ModelVersion.id.desc())
    )
    return [_model_line(session, model, snapshot_id) for model, snapshot_id in found.all()]


def snapshot_head(session: Session, queue_id: int, snapshot_id: int) -> SnapshotHead:
    """Raises NotFound, also for another queue's snapshot."""
    row = session.get(Snapshot, snapshot_id)
    if row is None or row.queue_id != queue_id:
        raise NotFound(f"This queue has no snapshot {snapshot_id}.")
    return SnapshotHead(row.id, row.content_hash, row.rows, erased_rows(session, snapshot_id)[0])


def _model_line(session: Session, model: ModelVersion, snapshot_id: int | None) -> ModelLine:
    evaluation = newest_evaluation(session, model.id)
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
    )
