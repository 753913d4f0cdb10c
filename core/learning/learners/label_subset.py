"""A label subset: a model restricted to a queue's present labels, after some of its labels were removed from the
policy."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import Invalid
from core.learning.data.inputs import Input
from core.learning.learners.base import Fitted, FloatArray, State
from core.learning.learners.suspicion import suspicion_of
from core.vocabulary import Modality


class NoCommonLabels(Invalid):
    """The model knows none of the policy's current labels."""


@dataclass(frozen=True)
class LabelSubset:
    """A model restricted to some of its labels. columns: their positions among all labels of the model. The
    probabilities of the removed labels are dropped, so that an input of a removed label gets a low confidence; rows sum
    to 1 at most."""

    fitted: Fitted
    columns: tuple[int, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.fitted.classes[column] for column in self.columns)

    @property
    def reads(self) -> tuple[Modality, ...]:
        return self.fitted.reads

    def probabilities(self, inputs: Sequence[Input]) -> FloatArray:
        return self.fitted.probabilities(inputs)[:, self.columns]

    def suspicion(self, inputs: Sequence[Input], probabilities: FloatArray) -> FloatArray:
        """The suspicion of the whole model, on the same scale; 1 where its most probable label was removed."""
        whole = self.fitted.probabilities(inputs)
        is_kept = np.isin(whole.argmax(axis=1), self.columns)
        return np.where(is_kept, suspicion_of(self.fitted, inputs, whole), 1.0)

    def state(self) -> State:
        return self.fitted.state()


def label_subset(fitted: Fitted, labels: Collection[str]) -> Fitted:
    """The model restricted to these labels, because labels were removed from the policy after training. Raises
    NoCommonLabels if it knows none of them."""
    columns = tuple(column for column, label in enumerate(fitted.classes) if label in labels)
    if len(columns) == len(fitted.classes):
        return fitted
    if not columns:
        raise NoCommonLabels("The model knows none of the policy's current labels. Retrain with `goldloop retrain`.")
    return LabelSubset(fitted, columns)
