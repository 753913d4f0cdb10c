"""The protocols of a learner and of the model that it fits.

A learner is found by its name (core/learning/learners/registry.py). It turns examples into a `Fitted`, whose `state()`
is all that is stored (core/learning/learners/artifacts.py) and compared (core/learning/learners/fingerprints.py). The
built-in one is in core/learning/learners/text.py."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from core.learning.data.inputs import Example, Input
from core.vocabulary import Coded, Modality

FloatArray = NDArray[np.float64]
State = Mapping[str, Any]  # types that skops can store: str, numbers, lists, dicts, arrays, scikit-learn estimators
HeldOut = tuple[bool | None, ...]  # per example: whether it was right when held out; None: it never was held out
Progress = Callable[[Coded], None]  # takes a code of `RunStep`; OTHER comes with a phrase of the learner


class Fitted(Protocol):
    """A model that was fitted, or restored from its state. Several threads may use it at once."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels that the model knows, each once, in the order of the columns of `probabilities`."""
        ...

    @property
    def reads(self) -> tuple[Modality, ...]:
        """The modalities that the model reads: those of its learner."""
        ...

    def probabilities(self, inputs: Sequence[Input]) -> FloatArray:
        """P(label | input): float64, shape (inputs, classes), values from 0 to 1, rows sum to 1.

        Any input gets an answer. An input without any modality that the model reads, or without any feature that it
        knows, gets the same probability for every label, so that people are asked. The answer to an input does not
        depend on the others. No inputs: shape (0, classes).
        """
        ...

    def state(self) -> State:
        """Everything that `Learner.restore` needs, as data without code: see `State`. Two models of equal parameters
        have states with an equal fingerprint."""
        ...


class Learner(Protocol):
    """A learner: a class without constructor arguments that has all of these members. A package provides it as an entry
    point of the group `goldloop.learners`."""

    @property
    def name(self) -> str:
        """The name of the entry point; `retraining.learner` in the policy and every stored model refer to it."""
        ...

    @property
    def runtime(self) -> str:
        """The library on which stored models depend, with its version: "scikit-learn 1.9.1", "onnxruntime 1.20.0";
        "external" where another system computes. It is stored with each model, and a model of another runtime is not
        opened."""
        ...

    @property
    def reads(self) -> tuple[Modality, ...]:
        """The modalities that the learner reads, at least one. Inputs that have none of them take no part in fitting
        and evaluation."""
        ...

    @property
    def trusted_types(self) -> tuple[str, ...]:
        """Full names of the types in the state that skops does not trust by itself. Exactly these are accepted in
        addition."""
        ...

    def fit(self, examples: Sequence[Example], seed: int, progress: Progress) -> Fitted:
        """Learn from labelled inputs.

        examples: at least one; each has a modality that the learner reads. The labels are those of the examples, and
        each content comes once. weight: for how many rows an example counts, above 0 (1 for a seed row; the policy sets
        those of corrections). synthetic: a language model wrote it; it trains, but nothing is measured on it, above all
        not the calibration. input.group: the source, such as a patient; a row is not held out while another row of its
        group trains. seed: at least 0; equal examples and seed must give a model with an equal fingerprint. progress:
        called now and then with a short phrase that the leads see, such as "Calibrating: part 1 of 3".

        Raises Invalid with a sentence if nothing can be learned, such as from one label alone. The run then fails with
        this sentence; any other exception counts as a fault, and the run is tried again.
        """
        ...

    def restore(self, state: State) -> Fitted:
        """The inverse of `Fitted.state`: the model answers as before. Raises Invalid if this is not a state of this
        learner."""
        ...


@runtime_checkable
class FitsUncalibrated(Protocol):
    """An optional member of a learner: a quicker fit, for comparisons in which only the most probable label counts."""

    def fit_uncalibrated(self, examples: Sequence[Example], seed: int) -> Fitted:
        """Fit as `Learner.fit` does, with the same most probable label for every input; the probabilities need not be
        calibrated."""
        ...


@runtime_checkable
class AnsweredHeldOut(Protocol):
    """An optional member of a fitted model: its answers to held-out training rows, from its calibration. The golden
    gate compares them with the live model's. They are no part of the state."""

    @property
    def held_out(self) -> HeldOut | None:
        """For each example that `fit` was given, in their order: whether the model of the other folds gives it the
        right label. None for a restored model."""
        ...


@runtime_checkable
class OffersSuspicion(Protocol):
    """An optional member of a fitted model: a score of doubt that finds more errors than the highest probability does.
    core/learning/learners/suspicion.py has the default."""

    def suspicion(self, inputs: Sequence[Input], probabilities: FloatArray) -> FloatArray:
        """How suspicious the most probable label of each input is: float64, shape (inputs,), values from 0 to 1.
        probabilities: the model's result for these inputs. Values are only compared with values of the same model."""
        ...


def held_out_answers(classes: Sequence[str], shares: FloatArray, examples: Sequence[Example]) -> HeldOut:
    """Whether each held-out example gets its label. shares: (examples, classes), in the order of the examples; NaN
    where an example is never held out."""
    best = np.where(np.isnan(shares), -1, shares).argmax(axis=1)
    unknown = np.isnan(shares[:, 0])
    return tuple(None if unknown[row] else classes[best[row]] == example.label for row, example in enumerate(examples))


def missing_members(found: object, protocol: type[Learner] | type[Fitted]) -> list[str]:
    """The names of the protocol's members that the object lacks, in the protocol's order."""
    members = [name for name in vars(protocol) if not name.startswith("_")]
    return [name for name in members if not hasattr(found, name)]
