"""The texts of admitted batches as training rows: light, few, and never golden.

A language model wrote them, and people confirmed a sample of their batch (core/synthesis/). So their number is bounded
by the number of people's rows: `PER_ROW` for each row of the label, and at most a tenth of a snapshot.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.learning.data.inputs import Input
from core.learning.data.snapshots import Row
from core.policy import QueuePolicy
from core.records.learning import SnapshotRow
from core.records.synthetic import SyntheticBatch, SyntheticText
from core.vocabulary import Source, SyntheticState

PER_ROW = 4  # written texts for each of the label's own rows
ROWS_PER_TEXT = 9  # rows of people for each written text, so that at most a tenth of a snapshot is written


@dataclass(frozen=True)
class WrittenRows:
    """The written rows of a snapshot. batches: ids, in order."""

    rows: int
    batches: tuple[int, ...]


def written_rows(session: Session, queue_id: int, policy: QueuePolicy) -> list[Row]:
    """The rows of the queue's admitted batches, the newest batch first. Labels that left the policy are left out."""
    found = session.execute(
        select(SyntheticText, SyntheticBatch.label)
        .join(SyntheticBatch, SyntheticBatch.id == SyntheticText.batch_id)
        .where(
            SyntheticText.queue_id == queue_id,
            SyntheticText.dropped_because == "",
            SyntheticText.erased_at.is_(None),
            SyntheticBatch.state == SyntheticState.ADMITTED,
            SyntheticBatch.label.in_(policy.label_names),
        )
        .order_by(SyntheticText.batch_id.desc(), SyntheticText.id)
    )
    weight = policy.synthetic.weight
    return [
        Row(Source.SYNTHETIC, row.id, Input(row.text), label, weight, row.content_hash) for row, label in found.all()
    ]


def within_shares(rows: Sequence[Row]) -> list[Row]:
    """All rows of people, then as many written rows as their number allows, each content once, in order."""
    real = [row for row in rows if row.source is not Source.SYNTHETIC]
    written = [row for row in rows if row.source is Source.SYNTHETIC]
    allowed = {label: PER_ROW * rows for label, rows in Counter(row.label for row in real).items()}
    known, kept = {row.content_hash for row in real}, []
    for row in written:
        if row.content_hash not in known and allowed.get(row.label, 0) > 0:
            known.add(row.content_hash)
            allowed[row.label] -= 1
            kept.append(row)
    return [*real, *kept[: len(real) // ROWS_PER_TEXT]]


def written_in(session: Session, snapshot_id: int) -> WrittenRows:
    """The written rows of a snapshot."""
    found = session.scalars(
        select(SyntheticText.batch_id)
        .join(SnapshotRow, (SnapshotRow.source == Source.SYNTHETIC) & (SnapshotRow.source_id == SyntheticText.id))
        .where(SnapshotRow.snapshot_id == snapshot_id)
    ).all()
    return WrittenRows(len(found), tuple(sorted(set(found))))
