"""The learner `blend`: the mean of what `text` and `embedding` say, calibrated again.

N-grams see names, codes and typos, vectors see meaning; where they disagree, the mean is unsure, and people are asked.
A mean of calibrated probabilities is too unsure of what both say, so one more temperature sharpens it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from core.errors import Invalid
from core.learning.data.inputs import Example, Input
from core.learning.learners.base import FloatArray, HeldOut, Progress, State, held_out_answers
from core.learning.learners.embedding import EmbeddingLearner, EmbeddingModel
from core.learning.learners.temperature import fit_scale, softmax
from core.learning.learners.text import TextLearner, TextModel
from core.vocabulary import Modality

SMALLEST = 1e-12  # a probability of 0 has no logarithm


@dataclass(frozen=True)
class BlendModel:
    """Two models of the same labels in the same order. scale: inverse temperature of their mean."""

    text: TextModel
    embedding: EmbeddingModel
    scale: float = 1.0
    held_out: HeldOut | None = field(default=None, compare=False)
    reads = (Modality.TEXT,)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.text.classes

    def probabilities(self, inputs: Sequence[Input]) -> FloatArray:
        """See `Fitted`."""
        mean = (self.text.probabilities(inputs) + self.embedding.probabilities(inputs)) / 2
        return softmax(self.scale * _logarithm(mean)) if len(mean) else mean

    def state(self) -> State:
        return {"text": self.text.state(), "embedding": self.embedding.state(), "scale": self.scale}


class BlendLearner:
    """See the module. Both parts are calibrated, each by its own folds."""

    name = "blend"
    reads = BlendModel.reads
    trusted_types: tuple[str, ...] = ()

    def __init__(self, embedding: EmbeddingLearner | None = None) -> None:
        """embedding: None: the one of the universal sentence encoder. Raises Invalid where that cannot be loaded."""
        self._text, self._embedding = TextLearner(), embedding or EmbeddingLearner()

    @property
    def runtime(self) -> str:
        return self._embedding.runtime

    def fit(self, examples: Sequence[Example], seed: int, progress: Progress) -> BlendModel:
        """As the two learners do, with the same folds. The mean's scale is fitted on the rows held out by both."""
        text, of_text = self._text.fit_with_shares(examples, seed, progress)
        embedding, of_embedding = self._embedding.fit_with_shares(examples, seed, progress)
        mean = (of_text + of_embedding) / 2
        answers = held_out_answers(text.classes, mean, examples)
        return BlendModel(text, embedding, _scale(text.classes, mean, examples), answers)

    def restore(self, state: State) -> BlendModel:
        try:
            parts = self._text.restore(state["text"]), self._embedding.restore(state["embedding"])
            model = BlendModel(*parts, float(state["scale"]))
        except (KeyError, TypeError, ValueError) as error:
            raise Invalid(f"This is not a model of the learner “{self.name}” ({error}).") from None
        if model.text.classes != model.embedding.classes:
            raise Invalid(f"This is not a model of the learner “{self.name}” (its parts have different labels).")
        return model


def _scale(classes: Sequence[str], mean: FloatArray, examples: Sequence[Example]) -> float:
    """mean: (examples, classes) of models that have not seen the example; NaN where it was never held out."""
    column = {label: place for place, label in enumerate(classes)}
    targets = np.array([column[one.label] for one in examples], dtype=np.intp)
    weights = np.array([one.weight for one in examples], dtype=np.float64)
    real = np.array([not one.synthetic for one in examples], dtype=np.bool_)
    seen = ~np.isnan(mean[:, 0])
    rows_of_label = np.bincount(targets[real], minlength=len(classes))
    return fit_scale(_logarithm(mean[seen]), targets[seen], weights[seen], rows_of_label)


def _logarithm(shares: FloatArray) -> FloatArray:
    logarithms: FloatArray = np.log(np.maximum(shares, SMALLEST))
    return logarithms
