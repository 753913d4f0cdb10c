"""The learner `embedding`: a logistic regression on the vectors of a sentence encoder.

It finds that "where is my card" and "has my card been sent" mean the same without having seen both, so it needs fewer
labelled rows than n-grams do; with many rows n-grams catch up. core/learning/learners/blend.py combines both.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from core.errors import Invalid
from core.learning.data.inputs import Example, Input
from core.learning.learners.base import FloatArray, HeldOut, Progress, State, held_out_answers
from core.learning.learners.encoders import Encoder, Vectors, universal_sentence_encoder
from core.learning.learners.rows import Rows, in_given_order, rows_of
from core.learning.learners.temperature import held_out_fit, softmax
from core.learning.learners.vectors import vectors_of
from core.vocabulary import Coded, Modality, RunStep

C = 30.0  # inverse regularisation; within .3 points of the best of 3 to 100 for 10 rows per label, docs/methods.md
MOST_STEPS = 2_000
TOLERANCE = 1e-6  # the optimiser's tolerance: two fits of the same rows agree to the digits of a fingerprint


@dataclass(frozen=True)
class EmbeddingModel:
    """A fitted `EmbeddingLearner`. weights: float32 (dimensions, classes); offsets: (classes,); scale: inverse
    temperature."""

    classes: tuple[str, ...]
    encoder: Encoder
    weights: NDArray[np.float32]
    offsets: FloatArray
    scale: float
    held_out: HeldOut | None = field(default=None, compare=False)
    reads = (Modality.TEXT,)

    def probabilities(self, inputs: Sequence[Input]) -> FloatArray:
        """See `Fitted`. An empty text gets the same probability for every label. Memory: 2 kB an input."""
        if not inputs:
            return np.empty((0, len(self.classes)))
        margins = vectors_of(self.encoder, [one.text for one in inputs]) @ self.weights + self.offsets
        margins[[not one.has(Modality.TEXT) for one in inputs]] = 0
        return softmax(self.scale * margins)

    def state(self) -> State:
        return {
            "classes": list(self.classes),
            "encoder": self.encoder.name,
            "weights": self.weights,
            "offsets": self.offsets,
            "scale": self.scale,
        }


class EmbeddingLearner:
    """Logistic regression on the vectors of an encoder, then temperature."""

    name = "embedding"
    reads = EmbeddingModel.reads
    trusted_types: tuple[str, ...] = ()  # the state is text, numbers and arrays

    def __init__(self, encoder: Encoder | None = None) -> None:
        """encoder: None stands for the universal sentence encoder. Raises Invalid if that cannot be loaded."""
        self._encoder = encoder or universal_sentence_encoder()

    @property
    def runtime(self) -> str:
        return f"scikit-learn {sklearn.__version__}, {self._encoder.runtime}"

    def fit(self, examples: Sequence[Example], seed: int, progress: Progress) -> EmbeddingModel:
        """Fit a model. Neither the order of the examples nor the seed matters. Raises Invalid for a single label, or
        for a weight that is not above 0."""
        return self.fit_with_shares(examples, seed, progress)[0]

    def fit_with_shares(
        self, examples: Sequence[Example], seed: int, progress: Progress
    ) -> tuple[EmbeddingModel, FloatArray]:
        """Fit as `fit` does. Returns also P(label | example) by the model of the other folds: (examples, classes), NaN
        where an example is never held out."""
        classes, rows = rows_of(examples)
        progress(Coded(RunStep.ENCODING, {"rows": len(rows.texts)}))
        vectors = vectors_of(self._encoder, rows.texts)

        def margins(held_out: NDArray[np.bool_]) -> FloatArray:
            weights, offsets = _fitted(vectors[~held_out], rows.take(~held_out))
            found: FloatArray = vectors[held_out] @ weights + offsets
            return found

        columns = rows.targets, rows.weights, rows.keys
        held_out = held_out_fit(*columns, progress, margins, rows.real, rows.groups)
        progress(Coded(RunStep.FITTING, {"rows": len(rows.texts)}))
        shares = in_given_order(held_out.shares, rows.places)
        answers = held_out_answers(classes, shares, examples)
        return EmbeddingModel(classes, self._encoder, *_fitted(vectors, rows), held_out.scale, answers), shares

    def fit_uncalibrated(self, examples: Sequence[Example], seed: int) -> EmbeddingModel:
        """See `FitsUncalibrated`. The scale is 1; it does not change the order of the labels."""
        classes, rows = rows_of(examples)
        fitted = _fitted(vectors_of(self._encoder, rows.texts), rows)
        return EmbeddingModel(classes, self._encoder, *fitted, 1.0)

    def restore(self, state: State) -> EmbeddingModel:
        try:
            if state["encoder"] != self._encoder.name:
                raise Invalid(f"This model was fitted on the encoder “{state['encoder']}”.")
            return EmbeddingModel(
                tuple(state["classes"]), self._encoder, state["weights"], state["offsets"], float(state["scale"])
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Invalid(f"This is not a model of the learner “{self.name}” ({error}).") from None


def _fitted(vectors: Vectors, rows: Rows) -> tuple[NDArray[np.float32], FloatArray]:
    """Weights of shape (dimensions, labels) and offsets of shape (labels,)."""
    model = LogisticRegression(C=C, tol=TOLERANCE, max_iter=MOST_STEPS)
    with threadpool_limits(1):  # one core, like all fits: threads that wait for each other would occupy several
        model.fit(vectors.astype(np.float64), rows.targets, sample_weight=rows.weights)
    weights, offsets = model.coef_, model.intercept_
    if rows.labels == 2:  # scikit-learn gives a single column, the log odds of the second label
        weights, offsets = np.vstack([-weights, weights]) / 2, np.concatenate([-offsets, offsets]) / 2
    return np.ascontiguousarray(weights.T, dtype=np.float32), offsets.astype(np.float64)
