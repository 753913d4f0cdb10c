"""A learner of another package, quick and easy to foresee: the first word decides, by the weight of its rows."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import Invalid
from core.learning.data.inputs import Example, Input
from core.learning.learners.base import FloatArray, Progress, State
from core.vocabulary import Modality


@dataclass(frozen=True)
class FirstWordModel:
    classes: tuple[str, ...]
    weights: dict[str, dict[str, float]]  # first word -> label -> sum of the weights of its rows
    reads = (Modality.TEXT,)

    def probabilities(self, inputs: Sequence[Input]) -> FloatArray:
        return np.array([self._shares(one.text.split()[0]) for one in inputs]).reshape(len(inputs), len(self.classes))

    def _shares(self, word: str) -> list[float]:
        found = self.weights.get(word, {})
        total = sum(found.values())
        return [found.get(label, 0.0) / total if total else 1 / len(self.classes) for label in self.classes]

    def state(self) -> State:
        return {"classes": list(self.classes), "weights": self.weights}


class FirstWordLearner:
    name = "first word"
    runtime = "tests"
    reads = FirstWordModel.reads
    trusted_types = ()

    def fit(self, examples: Sequence[Example], seed: int, progress: Progress) -> FirstWordModel:
        weights: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for example in examples:
            weights[example.input.text.split()[0]][example.label] += example.weight
        plain = {word: dict(labels) for word, labels in weights.items()}
        return FirstWordModel(tuple(sorted({example.label for example in examples})), plain)

    def restore(self, state: State) -> FirstWordModel:
        return FirstWordModel(tuple(state["classes"]), state["weights"])


class RefusingLearner(FirstWordLearner):
    name = "refusing"

    def fit(self, examples: Sequence[Example], seed: int, progress: Progress) -> FirstWordModel:
        if len(examples) < 100:
            raise Invalid(f"{len(examples)} rows are too few.")
        return super().fit(examples, seed, progress)


FIRST_WORD = {one.name: f"{__name__}:{one.__name__}" for one in (FirstWordLearner, RefusingLearner)}
