"""The eligibility of golden examples to decide about a candidate: neither model may have an advantage on them. A past
error is eligible if the live model's own golden set had it: then an earlier model made the error. A newer one was
selected because the live model is wrong on it, so a candidate can only gain. A random example that is newer than the
live model's golden set counts unless it is near a row of the live model's training data: near-duplicates were left out
for the candidate (core/learning/data/leakage.py), but not for the live model.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.learning.data.inputs import Input
from core.learning.data.near_duplicates import near
from core.learning.evaluation.compare import GoldenRow
from core.vocabulary import Stratum


@dataclass(frozen=True)
class LiveTraining:
    """The training data of the live model. golden_up_to: the last golden example whose near-duplicates were left out of
    it. inputs: the inputs of the training rows, empty where they were erased since; content_hashes: the hashes of all
    rows. labels: label -> number of training rows."""

    golden_up_to: int
    inputs: Sequence[Input]
    content_hashes: Collection[str]
    labels: Mapping[str, int] = field(default_factory=dict)


def with_eligibility(golden: Sequence[GoldenRow], live: LiveTraining | None, threshold: float) -> list[GoldenRow]:
    """The rows in the given order, with `counts` set.

    live: None if no Goldloop model is live, or it has no snapshot: then no past error counts, and every random example
    does. threshold: the similarity from which two inputs are near-duplicates, above 0, at most 1.
    """
    if live is None:
        return [replace(row, counts=row.stratum is Stratum.RANDOM) for row in golden]
    newer = [row for row in golden if row.id > live.golden_up_to]
    barred = {row.id for row in newer if row.stratum is Stratum.PAST_ERROR}
    barred |= _near_live([row for row in newer if row.stratum is Stratum.RANDOM], live, threshold)
    return [replace(row, counts=row.id not in barred) for row in golden]


def _near_live(rows: Sequence[GoldenRow], live: LiveTraining, threshold: float) -> set[int]:
    if not rows:
        return set()
    close = near([row.input for row in rows], live.inputs, threshold)
    return {
        row.id
        for row, is_close in zip(rows, close, strict=True)
        if is_close or row.input.content_hash in live.content_hashes
    }
