"""The suspicion of a model's answers: a score per answer, by which a budget ranks the predictions for review."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.learning.data.inputs import Input
from core.learning.learners.base import Fitted, FloatArray, OffersSuspicion


@dataclass(frozen=True)
class Said:
    """A model's answer to one input. probabilities: of each label. suspicion: how suspicious the answer is, in [0, 1];
    only compared with values of the same model."""

    probabilities: dict[str, float]
    suspicion: float

    @property
    def label(self) -> str:
        """The most probable label; of equal ones, the last by name."""
        return max(self.probabilities, key=lambda name: (self.probabilities[name], name))

    @property
    def confidence(self) -> float:
        return self.probabilities[self.label]


def suspicion_of(fitted: Fitted, inputs: Sequence[Input], probabilities: FloatArray) -> FloatArray:
    """The suspicion of each input, shape (inputs,), in [0, 1]: the model's own if it offers one, else one minus the
    highest probability. probabilities: the model's result for these inputs, (inputs, classes). A model's own value
    outside the range is clipped; NaN counts as 1."""
    if not isinstance(fitted, OffersSuspicion):
        plain: FloatArray = 1 - probabilities.max(axis=1, initial=0.0)
        return plain
    own = np.asarray(fitted.suspicion(inputs, probabilities), dtype=np.float64)
    return np.clip(np.nan_to_num(own, nan=1.0), 0.0, 1.0)
