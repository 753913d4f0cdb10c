"""The learner `blend`: a weighted mean of the log probabilities of `text` and `embedding`.

N-grams see names, codes and typos, vectors see meaning; where they disagree, the mean is unsure, and people are asked.
With few rows vectors are right more often, with many n-grams are: the weights are fitted on held-out rows. Their sum
need not be 1, so they calibrate the mean as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from core.errors import Invalid
from core.learning.data.inputs import Example, Input
from core.learning.learners.base import FloatArray, HeldOut, Progress, State, held_out_answers
from core.learning.learners.embedding import EmbeddingLearner, EmbeddingModel
from core.learning.learners.temperature import fit_weights, softmax
from core.learning.learners.text import TextLearner, TextModel
from core.vocabulary import Modality

SMALLEST = 1e-12  # a probability of 0 has no logarithm
Weights = tuple[float, float]  # the weights of `text` and of `embedding`


@dataclass(frozen=True)
class BlendModel:
    """Two models of the same labels in the same order, and their weights."""

    text: TextModel
    embedding: EmbeddingModel
    weights: Weights = (0.5, 0.5)
    held_out: HeldOut | None = field(default=None, compare=False)
    reads = (Modality.TEXT,)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.text.classes

    def probabilities(self, inputs: Sequence[Input]) -> FloatArray:
        """See `Fitted`."""
        of_both = self.text.probabilities(inputs), self.embedding.probabilities(inputs)
        return _pooled(of_both, self.weights) if len(inputs) else of_both[0]

    def state(self) -> State:
        return {"text": self.text.state(), "embedding": self.embedding.state(), "weights": list(self.weights)}


class BlendLearner:
    """The learner; see the module. Both parts are calibrated, each by its own folds."""

    name = "blend"
    reads = BlendModel.reads
    trusted_types: tuple[str, ...] = ()

    def __init__(self, embedding: EmbeddingLearner | None = None) -> None:
        """embedding: None stands for the one with the universal sentence encoder. Raises Invalid if that cannot be
        loaded."""
        self._text, self._embedding = TextLearner(), embedding or EmbeddingLearner()

    @property
    def runtime(self) -> str:
        return self._embedding.runtime

    def fit(self, examples: Sequence[Example], seed: int, progress: Progress) -> BlendModel:
        """Fit both learners with the same folds. The weights are fitted on the rows that both held out."""
        text, of_text = self._text.fit_with_shares(examples, seed, progress)
        embedding, of_embedding = self._embedding.fit_with_shares(examples, seed, progress)
        weights = _weights(text.classes, of_text, of_embedding, examples)
        answers = held_out_answers(text.classes, _pooled((of_text, of_embedding), weights), examples)
        return BlendModel(text, embedding, weights, answers)

    def restore(self, state: State) -> BlendModel:
        try:
            parts = self._text.restore(state["text"]), self._embedding.restore(state["embedding"])
            of_text, of_embedding = map(float, state["weights"])
            model = BlendModel(*parts, (of_text, of_embedding))
        except (KeyError, TypeError, ValueError) as error:
            raise Invalid(f"This is not a model of the learner “{self.name}” ({error}).") from None
        if model.text.classes != model.embedding.classes:
            raise Invalid(f"This is not a model of the learner “{self.name}” (its parts have different labels).")
        return model


def _weights(
    classes: Sequence[str], of_text: FloatArray, of_embedding: FloatArray, examples: Sequence[Example]
) -> Weights:
    """Fit the weights. of_text, of_embedding: probabilities (examples, classes) by models that have not seen the
    example; NaN where it was never held out."""
    column = {label: place for place, label in enumerate(classes)}
    targets = np.array([column[one.label] for one in examples], dtype=np.intp)
    weights = np.array([one.weight for one in examples], dtype=np.float64)
    real = np.array([not one.synthetic for one in examples], dtype=np.bool_)
    seen = ~np.isnan(of_text[:, 0])
    rows_of_label = np.bincount(targets[real], minlength=len(classes))
    logarithms = [_logarithm(shares[seen]) for shares in (of_text, of_embedding)]
    text, embedding = fit_weights(logarithms, targets[seen], weights[seen], rows_of_label)
    return float(text), float(embedding)


def _pooled(of_both: tuple[FloatArray, FloatArray], weights: Weights) -> FloatArray:
    """The pooled probabilities, shape (rows, classes). of_both: those of each model, of the same shape."""
    return softmax(weights[0] * _logarithm(of_both[0]) + weights[1] * _logarithm(of_both[1]))


def _logarithm(shares: FloatArray) -> FloatArray:
    logarithms: FloatArray = np.log(np.maximum(shares, SMALLEST))
    return logarithms
