"""Out-of-fold probabilities: predictions of labelled rows by models that were fitted without them.

The arguments and the result can be sent to another process and back; the learner is passed by name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.learning.data.inputs import Example
from core.learning.learners.base import FloatArray, Progress
from core.learning.learners.fitting import fit, require_readable
from core.learning.learners.registry import find_learner
from core.learning.learners.temperature import assign_folds
from core.learning.learners.vectors import cached_vectors
from core.vocabulary import Coded

FOLDS = 5


@dataclass(frozen=True)
class OutOfFold:
    """Out-of-fold probabilities. places: positions of the rows that were held out, once each. probabilities: (places,
    classes), rows sum to 1."""

    classes: tuple[str, ...]
    places: tuple[int, ...]
    probabilities: FloatArray


def out_of_fold(
    learner_name: str, extra_learners: Mapping[str, str], examples: Sequence[Example], seed: int, progress: Progress
) -> OutOfFold:
    """Cross-validate. Each label's rows are spread over five folds; for each fold a model is fitted on the four others.
    The only row of a label is never held out, nor is a row that the learner cannot read. The rows of a group are held
    out together. Raises Invalid as `fit` does."""
    learner = find_learner(learner_name, extra_learners)
    require_readable(learner, examples)
    readable = [place for place, one in enumerate(examples) if one.input.has_any(learner.reads)]
    classes, targets = np.unique(np.array([examples[place].label for place in readable]), return_inverse=True)
    groups = [examples[place].input.group for place in readable]
    folds = assign_folds(targets, np.random.default_rng(seed), FOLDS, groups)
    table = np.zeros((len(readable), len(classes)))
    with cached_vectors():
        for fold in range(folds.max(initial=-1) + 1):
            held_out = np.flatnonzero(folds == fold)
            rest = [examples[readable[row]] for row in np.flatnonzero(folds != fold)]
            fitted = fit(learner, rest, seed, _ignored)
            columns = np.searchsorted(classes, np.array(fitted.classes))
            inputs = [examples[readable[row]].input for row in held_out]
            table[np.ix_(held_out, columns)] = fitted.probabilities(inputs)
    seen = np.flatnonzero(folds >= 0)
    return OutOfFold(tuple(map(str, classes)), tuple(readable[row] for row in seen), table[seen])


def _ignored(step: Coded) -> None:
    """Ignore the progress of one fit: it does not show the progress of the whole."""
