"""Candidates that should be refused, and some that should not: what is done to the rows on which they are fitted."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.learning.data.snapshots import Row
from core.vocabulary import Source

ENOUGH = 8  # rows of a label without which it is not the one that is spoilt

RowId = tuple[Source, int]


def row_id(row: Row) -> RowId:
    return row.source, row.source_id


@dataclass(frozen=True)
class Batch:
    """A snapshot's rows. before: number of cycles -> the rows that the snapshot of so many cycles ago had. taken_for:
    label -> the label that the model confuses it with most."""

    rows: Sequence[Row]
    before: Mapping[int, frozenset[RowId]]
    taken_for: Mapping[str, str]

    @property
    def labels(self) -> list[str]:
        return sorted({row.label for row in self.rows})

    def some_labels(self, count: int, rng: np.random.Generator) -> list[str]:
        """Of those that had enough rows a cycle ago, so that the live model knows them too; of any if too few had."""
        known = self.before.get(1, frozenset())
        rows = Counter(row.label for row in self.rows if row_id(row) in known)
        enough = [label for label in self.labels if rows[label] >= ENOUGH]
        return [str(one) for one in rng.choice(enough if len(enough) >= count else self.labels, count, replace=False)]


Spoil = Callable[[Batch, np.random.Generator], list[Row]]


def resampled(batch: Batch, rng: np.random.Generator) -> list[Row]:
    """Nineteen of twenty rows: a candidate that is as good."""
    return [row for row in batch.rows if rng.random() < 0.95]


def merged(batch: Batch, rng: np.random.Generator) -> list[Row]:
    """All of a label's rows are called by the label with which it is confused most."""
    [gone] = batch.some_labels(1, rng)
    return [replace(row, label=batch.taken_for[gone]) if row.label == gone else row for row in batch.rows]


def half_lost(batch: Batch, rng: np.random.Generator) -> list[Row]:
    [label] = batch.some_labels(1, rng)
    return [row for row in batch.rows if row.label != label or rng.random() < 0.5]


def noise(share: float) -> Spoil:
    """So many of the rows get any other label."""

    def spoil(batch: Batch, rng: np.random.Generator) -> list[Row]:
        return [_mislabelled(row, batch, rng) if rng.random() < share else row for row in batch.rows]

    return spoil


def rogue_batch(batch: Batch, rng: np.random.Generator) -> list[Row]:
    """Every row that is new since the last cycle has any other label."""
    known = batch.before.get(1, frozenset())
    return [row if row_id(row) in known else _mislabelled(row, batch, rng) for row in batch.rows]


def swapped(batch: Batch, rng: np.random.Generator) -> list[Row]:
    """Two labels have changed places."""
    one, other = batch.some_labels(2, rng)
    names = {one: other, other: one}
    return [replace(row, label=names.get(row.label, row.label)) for row in batch.rows]


def older(cycles: int) -> Spoil:
    """Only what was there so many cycles ago."""

    def spoil(batch: Batch, rng: np.random.Generator) -> list[Row]:
        known = batch.before.get(cycles, frozenset())
        return [row for row in batch.rows if row_id(row) in known]

    return spoil


def _mislabelled(row: Row, batch: Batch, rng: np.random.Generator) -> Row:
    return replace(row, label=str(rng.choice([label for label in batch.labels if label != row.label])))


MERGED = "class merged"
KINDS: Mapping[str, Spoil] = {
    "equal": resampled,
    "1 cycle older": older(1),
    "2 cycles older": older(2),
    "4 cycles older": older(4),
    "8 cycles older": older(8),
    MERGED: merged,
    "half a class lost": half_lost,
    "15 % noise": noise(0.15),
    "30 % noise": noise(0.30),
    "rogue newest batch": rogue_batch,
    "labels swapped": swapped,
}
