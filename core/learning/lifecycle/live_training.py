"""The training data of the live model, as far as a comparison needs it."""

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.learning.data.golden import Golden
from core.learning.data.snapshots import snapshot_rows
from core.learning.evaluation.eligibility import LiveTraining
from core.records.learning import ModelVersion, Snapshot, SnapshotRow, TrainingRun
from core.vocabulary import Stratum


def live_training(session: Session, model_id: int, golden: Iterable[Golden]) -> LiveTraining | None:
    """The training data of the live model. None: it has no snapshot. The rows are read only if a random golden example
    is newer than the golden set of that snapshot: only such an example may be near one of the rows."""
    snapshot = session.scalar(
        select(Snapshot)
        .join(TrainingRun, TrainingRun.snapshot_id == Snapshot.id)
        .join(ModelVersion, ModelVersion.run_id == TrainingRun.id)
        .where(ModelVersion.id == model_id)
    )
    if snapshot is None:
        return None
    newer = any(one.stratum is Stratum.RANDOM and one.id > snapshot.golden_up_to for one in golden)
    rows = snapshot_rows(session, snapshot.id) if newer else []
    counts = select(SnapshotRow.label, func.count()).where(SnapshotRow.snapshot_id == snapshot.id)
    labels = dict(session.execute(counts.group_by(SnapshotRow.label)).all())
    return LiveTraining(snapshot.golden_up_to, [row.input for row in rows], {row.content_hash for row in rows}, labels)
