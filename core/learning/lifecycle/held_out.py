"""A model's answers to its training rows, each from a model that had not seen the row: a by-product of calibration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.learning.data.snapshots import Row
from core.learning.learners.base import HeldOut
from core.records.learning import HeldOutAnswers, ModelVersion, SnapshotRow, TrainingRun


@dataclass(frozen=True)
class RightRows:
    """Which training rows a model gets right when they are held out. right: content hash -> whether the row was given
    its label; only rows that were held out."""

    right: Mapping[str, bool]


def right_rows(rows: Sequence[Row], held_out: HeldOut | None) -> RightRows | None:
    """held_out: the answers, in the order of the rows; None: the learner does not report them."""
    if held_out is None:
        return None
    answers = zip(rows, held_out, strict=True)
    return RightRows({row.content_hash: right for row, right in answers if right is not None})


def store_right_rows(session: Session, model_id: int, rows: Sequence[Row], found: RightRows | None) -> None:
    """Store only the rows that are not right, which are few."""
    if found is None:
        return
    wrong = [row.content_hash for row in rows if found.right.get(row.content_hash) is False]
    never = [row.content_hash for row in rows if row.content_hash not in found.right]
    session.add(HeldOutAnswers(model_id=model_id, not_right={"wrong": wrong, "never": never}))


def stored_right_rows(session: Session, model_id: int) -> RightRows | None:
    """The stored held-out answers of a model; None: there are none. Rows that were erased since still count."""
    stored = session.get(HeldOutAnswers, model_id)
    if stored is None:
        return None
    hashes = session.scalars(
        select(SnapshotRow.content_hash)
        .join(TrainingRun, TrainingRun.snapshot_id == SnapshotRow.snapshot_id)
        .join(ModelVersion, ModelVersion.run_id == TrainingRun.id)
        .where(ModelVersion.id == model_id)
    )
    wrong, never = (set(stored.not_right[name]) for name in ("wrong", "never"))
    return RightRows({one: one not in wrong for one in hashes if one not in never})
