"""Learning labels from text: what a learner is, and where learners come from.

A learner is found by name in the entry point group `goldloop.learners`. It turns examples into a `Fitted`, whose
`state()` is all that is stored (core/learning/learners/artifacts.py) and compared
(core/learning/learners/fingerprints.py). The built-in one is in core/learning/learners/text.py; a learner is imported
when it is asked for, so that only who trains or predicts waits for its libraries."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from core.errors import Invalid
from core.learning.data.inputs import Example
from core.vocabulary import Coded

GROUP = "goldloop.learners"
BUILT_IN = EntryPoint("text", "core.learning.learners.text:TextLearner", GROUP)

FloatArray = NDArray[np.float64]
State = Mapping[str, Any]  # what skops can store: str, numbers, lists, dicts, arrays, scikit-learn estimators
Progress = Callable[[Coded], None]  # of `RunStep`; OTHER takes a phrase of the learner's own


@runtime_checkable
class Fitted(Protocol):
    """A model that was fitted. `classes`: the labels it knows, the columns of `probabilities`."""

    @property
    def classes(self) -> tuple[str, ...]: ...

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        """P(label | text), shape (texts, classes), rows sum to 1. No texts: shape (0, classes)."""
        ...

    def state(self) -> State:
        """All that is needed to restore it, without code: see `State`."""
        ...


@runtime_checkable
class Learner(Protocol):
    """What a package brings under `goldloop.learners`: a class without constructor arguments.

    `trusted_types`: full names of the types in the state that skops does not trust by itself. Exactly these are let in.
    """

    @property
    def name(self) -> str: ...

    @property
    def trusted_types(self) -> tuple[str, ...]: ...

    def fit(self, examples: Sequence[Example], seed: int, progress: Progress) -> Fitted:
        """Equal examples and seed give an equal fingerprint. `progress` is told now and then how far it is.

        Raises Invalid with a sentence if nothing can be learned.
        """
        ...

    def restore(self, state: State) -> Fitted:
        """The inverse of `Fitted.state`. Raises Invalid if this is not a state of this learner."""
        ...


class NoCommonLabels(Invalid):
    """A model that knows none of the labels that are asked for now."""


@dataclass(frozen=True)
class LabelSubset:
    """A model with fewer labels to choose from. columns: of what it learnt. What it gives to the others is given to
    nobody, so that a text of a label that is no more is one it is unsure of; rows sum to 1 at most."""

    fitted: Fitted
    columns: tuple[int, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.fitted.classes[column] for column in self.columns)

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        return self.fitted.probabilities(texts)[:, self.columns]

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


def find_learner(name: str) -> Learner:
    """The learner of that name among the installed packages; "text" is always there.

    Raises Invalid, naming what is installed, if there is none, if two packages bring one of that name, or if the
    package's cannot be used.
    """
    points = {*entry_points(group=GROUP), BUILT_IN}  # in a plain checkout our own entry point is not installed
    offers = {point.value: point for point in points if point.name == name}
    if not offers:
        installed = sorted({point.name for point in points})
        raise Invalid(f"There is no learner “{name}”. Installed: {', '.join(installed)}.", field="learner")
    if len(offers) > 1:
        raise Invalid(
            f"Several packages bring a learner “{name}”: {', '.join(sorted(offers))}. Uninstall one.", field="learner"
        )
    return _load(next(iter(offers.values())))


def _load(point: EntryPoint) -> Learner:
    try:
        learner = point.load()()
    except (ImportError, AttributeError, TypeError) as error:
        raise Invalid(
            f"The learner “{point.name}” ({point.value}) cannot be loaded: {error}.", field="learner"
        ) from error
    if not isinstance(learner, Learner):
        raise Invalid(
            f"The learner “{point.name}” ({point.value}) lacks one of: name, trusted_types, fit, restore.",
            field="learner",
        )
    return learner
