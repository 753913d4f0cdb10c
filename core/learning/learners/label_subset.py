"""A model held to the labels that a queue has now, where some that it learnt were taken out of the policy."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.errors import Invalid
from core.learning.data.inputs import Input
from core.learning.learners.base import Fitted, FloatArray, State
from core.vocabulary import Modality


class NoCommonLabels(Invalid):
    """A model that knows none of the labels that are asked for now."""


@dataclass(frozen=True)
class LabelSubset:
    """A model with fewer labels to choose from. columns: of what it learnt. What it gives to the others is given to
    nobody, so that an input of a label that is no more is one it is unsure of; rows sum to 1 at most."""

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

    def state(self) -> State:
        return self.fitted.state()


def label_subset(fitted: Fitted, labels: Collection[str]) -> Fitted:
    """The model without the labels that are not among these, as where one was taken out of the policy since it learnt.
    Raises NoCommonLabels if it knows none of them."""
    columns = tuple(column for column, label in enumerate(fitted.classes) if label in labels)
    if len(columns) == len(fitted.classes):
        return fitted
    if not columns:
        raise NoCommonLabels(
            "The model knows none of the labels that the policy has now. Retrain with `goldloop retrain`."
        )
    return LabelSubset(fitted, columns)
