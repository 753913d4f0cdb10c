"""Erased training rows, and the models that were trained on them. No extra row is stored for this: the rows of a
snapshot name their sources, and a source says when it was erased."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from core.records.learning import ModelVersion, SeedExample, SnapshotRow, TrainingRun
from core.records.predictions import Prediction
from core.records.reviews import Correction, ReviewItem
from core.records.synthetic import SyntheticText
from core.vocabulary import RunState, Source

# A row came from a seed example itself, or from a correction about one.
SEED_OF_ROW = case((SnapshotRow.source == Source.SEED, SnapshotRow.source_id), else_=ReviewItem.seed_id)
WRITTEN_ROW = (SnapshotRow.source == Source.SYNTHETIC) & (SyntheticText.id == SnapshotRow.source_id)
_ERASED_AT = func.coalesce(SeedExample.erased_at, Prediction.erased_at, SyntheticText.erased_at)


@dataclass(frozen=True)
class RowSource:
    """The source of a training row: the id of a seed example, a correction or a synthetic text."""

    source: Source
    id: int


def erased_rows(session: Session, snapshot_id: int) -> tuple[int, datetime | None]:
    """The number of erased rows of a snapshot, and when the last of them was erased."""
    counted = _with_sources(select(func.count(_ERASED_AT), func.max(_ERASED_AT, type_=Prediction.erased_at.type)))
    count, last = session.execute(counted.where(SnapshotRow.snapshot_id == snapshot_id)).one()
    return count, last


def erased_sources(session: Session, snapshot_id: int) -> tuple[RowSource, ...]:
    """The erased rows of a snapshot, in its order."""
    found = _with_sources(select(SnapshotRow.source, SnapshotRow.source_id)).where(
        SnapshotRow.snapshot_id == snapshot_id, _ERASED_AT.is_not(None)
    )
    return tuple(RowSource(source, number) for source, number in session.execute(found.order_by(SnapshotRow.position)))


def models_that_learned_from(
    session: Session, queue_id: int, corrections: Sequence[int], seeds: Sequence[int], written: Sequence[int] = ()
) -> Sequence[ModelVersion]:
    """The queue's models whose snapshot holds one of these rows, oldest first."""
    return session.scalars(
        select(ModelVersion)
        .join(TrainingRun, TrainingRun.id == ModelVersion.run_id)
        .where(
            ModelVersion.queue_id == queue_id, TrainingRun.snapshot_id.in_(_snapshots_of(corrections, seeds, written))
        )
        .order_by(ModelVersion.version)
    ).all()


def runs_that_learn_from(
    session: Session, queue_id: int, corrections: Sequence[int], seeds: Sequence[int], written: Sequence[int] = ()
) -> Sequence[int]:
    """Ids of the queue's runs under way whose snapshot holds one of these rows, oldest first."""
    return session.scalars(
        select(TrainingRun.id)
        .where(
            TrainingRun.queue_id == queue_id,
            TrainingRun.state == RunState.RUNNING,
            TrainingRun.snapshot_id.in_(_snapshots_of(corrections, seeds, written)),
        )
        .order_by(TrainingRun.id)
    ).all()


def _snapshots_of(corrections: Sequence[int], seeds: Sequence[int], written: Sequence[int]) -> Select[Any]:
    among = or_(
        and_(SnapshotRow.source == Source.CORRECTION, SnapshotRow.source_id.in_(corrections)),
        and_(SnapshotRow.source == Source.SEED, SnapshotRow.source_id.in_(seeds)),
        and_(SnapshotRow.source == Source.SYNTHETIC, SnapshotRow.source_id.in_(written)),
    )
    return select(SnapshotRow.snapshot_id).where(among)


def _with_sources(query: Any) -> Any:
    """The rows of snapshots, each with the row that holds its input."""
    return (
        query.select_from(SnapshotRow)
        .outerjoin(Correction, (SnapshotRow.source == Source.CORRECTION) & (Correction.id == SnapshotRow.source_id))
        .outerjoin(ReviewItem, ReviewItem.id == Correction.item_id)
        .outerjoin(Prediction, Prediction.id == ReviewItem.prediction_id)
        .outerjoin(SeedExample, SeedExample.id == SEED_OF_ROW)
        .outerjoin(SyntheticText, WRITTEN_ROW)
    )
