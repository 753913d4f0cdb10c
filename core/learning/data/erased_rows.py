"""Which models learnt from what has been erased since. Nothing is stored for it: a snapshot's rows name their sources,
and a source says when it was erased."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from core.records.learning import ModelVersion, SeedExample, SnapshotRow, TrainingRun
from core.records.predictions import Prediction
from core.records.reviews import Correction, ReviewItem
from core.vocabulary import Source

# A row came from a seed example itself, or from a correction about one.
SEED_OF_ROW = case((SnapshotRow.source == Source.SEED, SnapshotRow.source_id), else_=ReviewItem.seed_id)


def erased_rows(session: Session, snapshot_id: int) -> tuple[int, datetime | None]:
    """How many rows of a snapshot have been erased, and when the last of them was."""
    erased_at = func.coalesce(SeedExample.erased_at, Prediction.erased_at)
    count, last = session.execute(
        select(func.count(erased_at), func.max(erased_at, type_=Prediction.erased_at.type))
        .select_from(SnapshotRow)
        .outerjoin(Correction, (SnapshotRow.source == Source.CORRECTION) & (Correction.id == SnapshotRow.source_id))
        .outerjoin(ReviewItem, ReviewItem.id == Correction.item_id)
        .outerjoin(Prediction, Prediction.id == ReviewItem.prediction_id)
        .outerjoin(SeedExample, SeedExample.id == SEED_OF_ROW)
        .where(SnapshotRow.snapshot_id == snapshot_id)
    ).one()
    return count, last


def models_that_learnt_from(
    session: Session, queue_id: int, corrections: Sequence[int], seeds: Sequence[int]
) -> tuple[str, ...]:
    """Names of the queue's models whose snapshot holds one of these rows, oldest first."""
    among = or_(
        and_(SnapshotRow.source == Source.CORRECTION, SnapshotRow.source_id.in_(corrections)),
        and_(SnapshotRow.source == Source.SEED, SnapshotRow.source_id.in_(seeds)),
    )
    taught = select(SnapshotRow.snapshot_id).where(among)
    models = session.scalars(
        select(ModelVersion)
        .join(TrainingRun, TrainingRun.id == ModelVersion.run_id)
        .where(ModelVersion.queue_id == queue_id, TrainingRun.snapshot_id.in_(taught))
        .order_by(ModelVersion.version)
    )
    return tuple(model.name for model in models)
