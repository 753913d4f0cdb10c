"""Pairs: a candidate fitted on spoilt, older or as good rows, measured by the product beside its live model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.loop.product import Product, Verdict
from benchmarks.loop.results import Cost
from benchmarks.loop.spoiling import KINDS, Batch
from benchmarks.loop.world import BoolArray
from core.learning.data.snapshots import Row
from core.learning.learners.base import Fitted
from core.learning.learners.fitting import fit, held_out_of
from core.learning.learners.registry import find_learner
from core.learning.lifecycle.candidates import measure
from core.learning.lifecycle.held_out import right_rows
from core.records.learning import TrainingRun


@dataclass(frozen=True)
class Made:
    """A candidate of this kind, which the product has never stored. rows: what it was fitted on; right: whether it is
    right on each unseen text."""

    kind: str
    fitted: Fitted
    rows: Sequence[Row]
    right: BoolArray


def made_candidates(
    product: Product, batch: Batch, judge: Callable[[Fitted], BoolArray], rng: np.random.Generator, cost: Cost
) -> list[Made]:
    """One of each kind, without those for which there is no snapshot that is old enough. judge: whether a model is
    right on each unseen text."""
    learner = find_learner(product.queue.retraining.learner)
    made = []
    for kind, spoil in KINDS.items():
        rows, seed = spoil(batch, rng), int(rng.integers(1, 2**31))
        if len({row.label for row in rows}) > 1:
            with cost.of("pairs, fitted"):
                fitted = fit(learner, [row.example for row in rows], seed, lambda _step: None)
            with cost.of("unseen texts"):
                made.append(Made(kind, fitted, rows, judge(fitted)))
    return made


def measured(product: Product, run: TrainingRun, made: Made, cost: Cost) -> Verdict:
    """What the product says of the candidate beside what is live now. Nothing is stored."""
    with cost.of("pairs, measured"):
        right = right_rows(made.rows, held_out_of(made.fitted, [row.example for row in made.rows]))
        verdict = measure(product.database, run, made.fitted, None, made.rows, product.queue, right=right).verdict
    return Verdict(verdict.passed, tuple(str(block.code) for block in verdict.blocks))


def confusions(fitted: Fitted, rows: Sequence[Row]) -> dict[str, str]:
    """For each label of the rows the other one that the model finds likeliest on them."""
    shares = fitted.probabilities([row.input for row in rows])
    labels = np.array([row.label for row in rows])
    found: dict[str, str] = {}
    for label in sorted({row.label for row in rows}):
        ranked = [fitted.classes[column] for column in np.argsort(-shares[labels == label].mean(axis=0))]
        found[label] = next(other for other in ranked if other != label)
    return found
