"""A sweep over training weights: which weight of the rows that correct the model gives the best held-out accuracy?

Each weight is tried on the same folds of the training rows alone; golden examples are not used. The accuracy is
weighted to the traffic: flagged predictions are over-represented among the rows, so each held-out row counts by its
share.

The arguments and the result of `sweep` can be sent to another process and back; the learner is passed by name."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.errors import Invalid
from core.learning.data.inputs import Example
from core.learning.learners.base import FitsUncalibrated, Fitted, Learner, Progress
from core.learning.learners.fitting import fit
from core.learning.learners.registry import find_learner
from core.learning.learners.vectors import cached_vectors
from core.vocabulary import Coded, RunStep

WEIGHTS = (1.0, 2.0, 3.0, 5.0)  # above 5, past errors gain nothing and more right answers become wrong: docs/methods.md
Held = NDArray[np.bool_]


@dataclass(frozen=True)
class SweptRow:
    """A training row. corrects: whether the swept weight applies to it; share: its share of the traffic when it is held
    out, relative to the other rows, above 0."""

    example: Example
    corrects: bool
    share: float

    def weighing(self, weight: float) -> Example:
        return replace(self.example, weight=weight) if self.corrects else self.example


@dataclass(frozen=True)
class Trial:
    """The result for one weight. accuracy: the estimated share of the traffic that is right, in [0, 1], by held-out
    rows; seconds: elapsed time."""

    weight: float
    accuracy: float
    seconds: float


def sweep(
    learner_name: str, extra_learners: Mapping[str, str], rows: Sequence[SweptRow], seed: int, progress: Progress
) -> tuple[Trial, ...]:
    """A trial for each of `WEIGHTS`, in this order. The same rows in the same order and the same seed give the same
    accuracies. A label's only row trains in each fold and is never held out; a group's rows are held out together.

    Raises Invalid if no row that the learner reads can be held out, and as `find_learner` and `fit` do.
    """
    with cached_vectors():
        return _trials(learner_name, extra_learners, rows, seed, progress)


def best(trials: Sequence[Trial]) -> float:
    """The weight with the highest accuracy; of equal ones the smallest, because heavy rows make more right answers
    wrong."""
    return min(trials, key=lambda trial: (-trial.accuracy, trial.weight)).weight


def _trials(
    learner_name: str, extra_learners: Mapping[str, str], rows: Sequence[SweptRow], seed: int, progress: Progress
) -> tuple[Trial, ...]:
    from core.learning.learners.temperature import assign_folds  # loads scipy, which callers do not need

    learner = find_learner(learner_name, extra_learners)
    readable = [row for row in rows if row.example.input.has_any(learner.reads)]
    _labels, targets = np.unique(np.array([row.example.label for row in readable], dtype=str), return_inverse=True)
    groups = [row.example.input.group for row in readable]
    folds = assign_folds(targets, np.random.default_rng(seed), groups=groups)
    count = int(folds.max(initial=-1)) + 1
    if count < 2 or len(_labels) < 2:
        apart = " of different groups" if any(groups) else ""
        raise Invalid(f"Comparing weights needs at least two labels with two training rows each{apart}.")
    trials = []
    for number, weight in enumerate(WEIGHTS):
        began, right = time.perf_counter(), np.zeros(len(readable), dtype=np.bool_)
        for fold in range(count):
            progress(Coded(RunStep.WEIGHING, {"part": number * count + fold + 1, "parts": len(WEIGHTS) * count}))
            right[folds == fold] = _right(learner, readable, folds == fold, weight, seed)
        trials.append(Trial(weight, _accuracy(right, readable, folds >= 0), time.perf_counter() - began))
    return tuple(trials)


def _right(learner: Learner, rows: Sequence[SweptRow], held: Held, weight: float, seed: int) -> Held:
    """Whether each held-out row is right with a model of the other rows, shape (held-out rows,)."""
    examples = [row.weighing(weight) for row, out in zip(rows, held, strict=True) if not out]
    fitted = _fitted(learner, examples, seed)
    held_out = [row.example for row, out in zip(rows, held, strict=True) if out]
    columns = fitted.probabilities([one.input for one in held_out]).argmax(axis=1)
    return np.array([fitted.classes[column] == one.label for column, one in zip(columns, held_out, strict=True)])


def _fitted(learner: Learner, examples: Sequence[Example], seed: int) -> Fitted:
    """Fit a model. Only the most probable label counts here, so a learner may leave out the calibration."""
    if isinstance(learner, FitsUncalibrated):
        return learner.fit_uncalibrated(examples, seed)
    return fit(learner, examples, seed, lambda _step: None)


def _accuracy(right: Held, rows: Sequence[SweptRow], measured: Held) -> float:
    shares = np.array([row.share for row in rows])[measured]
    return round(float(np.average(right[measured], weights=shares)), 9)  # later digits depend on the order of summation
