"""The learner `blend`: the mean of what `text` and `embedding` say.

N-grams see names, codes and typos, vectors see meaning; where they disagree, the mean is unsure, and people are asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.errors import Invalid
from core.learning.data.inputs import Example, Input
from core.learning.learners.base import FloatArray, HeldOut, Progress, State, held_out_answers
from core.learning.learners.embedding import EmbeddingLearner, EmbeddingModel
from core.learning.learners.text import TextLearner, TextModel
from core.vocabulary import Modality


@dataclass(frozen=True)
class BlendModel:
    """Two models of the same labels in the same order."""

    text: TextModel
    embedding: EmbeddingModel
    held_out: HeldOut | None = field(default=None, compare=False)
    reads = (Modality.TEXT,)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.text.classes

    def probabilities(self, inputs: Sequence[Input]) -> FloatArray:
        """See `Fitted`."""
        return (self.text.probabilities(inputs) + self.embedding.probabilities(inputs)) / 2

    def state(self) -> State:
        return {"text": self.text.state(), "embedding": self.embedding.state()}


class BlendLearner:
    """See the module. Both parts are calibrated, each by its own folds."""

    name = "blend"
    reads = BlendModel.reads
    trusted_types: tuple[str, ...] = ()

    def __init__(self) -> None:
        """Raises Invalid where the encoder cannot be loaded."""
        self._text, self._embedding = TextLearner(), EmbeddingLearner()

    @property
    def runtime(self) -> str:
        return self._embedding.runtime

    def fit(self, examples: Sequence[Example], seed: int, progress: Progress) -> BlendModel:
        """As the two learners do, with the same folds."""
        text, of_text = self._text.fit_with_shares(examples, seed, progress)
        embedding, of_embedding = self._embedding.fit_with_shares(examples, seed, progress)
        answers = held_out_answers(text.classes, of_text + of_embedding, examples)
        return BlendModel(text, embedding, answers)

    def restore(self, state: State) -> BlendModel:
        try:
            model = BlendModel(self._text.restore(state["text"]), self._embedding.restore(state["embedding"]))
        except (KeyError, TypeError) as error:
            raise Invalid(f"This is not a model of the learner “blend” ({error}).") from None
        if model.text.classes != model.embedding.classes:
            raise Invalid("This is not a model of the learner “blend” (its parts have different labels).")
        return model
