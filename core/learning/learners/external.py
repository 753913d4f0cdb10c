"""The learner `external`: a service outside trains, and answers prediction requests.

The stored model is a reference: the snapshot that was handed out, the version that the service states, and the labels.
The fingerprint covers these three. A model answers through a connection (`Ask`), which the process that opens it
provides (`connected`); the connection is no part of its state."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from core.errors import Invalid, ModelUnavailable
from core.learning.data.inputs import Example, Input
from core.learning.learners.base import Fitted, FloatArray, Progress, State
from core.policy import QueuePolicy
from core.policy.external import EXTERNAL
from core.vocabulary import Modality

EXACT = 1e-6  # probabilities whose sum is this close to 1 are left as they are
SUM_TOLERANCE = 0.02  # probabilities are often rounded by the sender; they are divided by their sum
UNCONNECTED = 60.0  # seconds until a caller may try again; a process without a connection will not get one
READS = (Modality.TEXT,)


class Ask(Protocol):
    """A connection to the service of a queue. It uses the network, so no transaction may be open."""

    def __call__(self, version: str, labels: Sequence[str], inputs: Sequence[Input]) -> FloatArray:
        """The probabilities that this version of the model gives, shape (inputs, labels), rows sum to 1. inputs: at
        least one. Raises ModelUnavailable if no usable answer came."""
        ...


Connect = Callable[[QueuePolicy], Ask]
GoldenAnswers = Mapping[str, Mapping[str, float]]  # content hash -> label -> probability


@dataclass(frozen=True)
class ExternalModel:
    """A model that a service computes. snapshot: the content hash of the snapshot that was handed out. version: the
    service's name for the model. labels: those of the policy when the snapshot was handed out."""

    snapshot: str
    version: str
    labels: tuple[str, ...]
    ask: Ask | None = field(default=None, compare=False)
    reads = READS

    @property
    def classes(self) -> tuple[str, ...]:
        return self.labels

    def probabilities(self, inputs: Sequence[Input]) -> FloatArray:
        """See `Fitted`. Inputs without text are not sent. Raises ModelUnavailable if the service cannot be asked."""
        table = np.full((len(inputs), len(self.labels)), 1 / len(self.labels))
        places = [place for place, one in enumerate(inputs) if one.has_any(READS)]
        if places:
            table[places] = self._requested([inputs[place] for place in places])
        return table

    def _requested(self, inputs: Sequence[Input]) -> FloatArray:
        if self.ask is None:
            raise ModelUnavailable("This process has no connection to the service that runs the model.", UNCONNECTED)
        return self.ask(self.version, self.labels, inputs)

    def state(self) -> State:
        return {"snapshot": self.snapshot, "version": self.version, "labels": list(self.labels)}


class ExternalLearner:
    """The learner of such models. The lifecycle does not call `fit`: it hands out the snapshot
    (core/learning/lifecycle/external.py)."""

    name = EXTERNAL
    runtime = "external"
    reads = READS
    trusted_types = ()

    def fit(self, examples: Sequence[Example], seed: int, progress: Progress) -> ExternalModel:
        raise Invalid("The learner “external” trains in a service outside, so it cannot be fitted here.")

    def restore(self, state: State) -> ExternalModel:
        return ExternalModel(state["snapshot"], state["version"], tuple(state["labels"]))


@dataclass(frozen=True)
class AnsweredBefore:
    """A model whose answers to some inputs are stored. known: content hash -> probabilities, in the order of the
    classes."""

    fitted: Fitted
    known: Mapping[str, Sequence[float]]

    @property
    def classes(self) -> tuple[str, ...]:
        return self.fitted.classes

    @property
    def reads(self) -> tuple[Modality, ...]:
        return self.fitted.reads

    def probabilities(self, inputs: Sequence[Input]) -> FloatArray:
        """See `Fitted`. Only inputs without a stored answer are sent to the model."""
        table = np.zeros((len(inputs), len(self.classes)))
        unknown = [place for place, one in enumerate(inputs) if one.content_hash not in self.known]
        for place, one in enumerate(inputs):
            table[place] = self.known.get(one.content_hash, 0.0)
        if unknown:
            table[unknown] = self.fitted.probabilities([inputs[place] for place in unknown])
        return table

    def state(self) -> State:
        return self.fitted.state()


def answered_before(fitted: Fitted, submitted: GoldenAnswers) -> Fitted:
    """The model, with the answers that its service has submitted; the model itself, if there are none."""
    known = {name: [row.get(label, 0.0) for label in fitted.classes] for name, row in submitted.items()}
    return AnsweredBefore(fitted, known) if known else fitted


def connected(fitted: Fitted, ask: Ask) -> Fitted:
    """The model with a connection, if a service computes it; otherwise the model itself."""
    return replace(fitted, ask=ask) if isinstance(fitted, ExternalModel) else fitted


def unconnected(_queue: QueuePolicy) -> Ask:
    """A `Connect` for processes that read models but do not predict."""

    def ask(version: str, labels: Sequence[str], inputs: Sequence[Input]) -> FloatArray:
        raise ModelUnavailable("This process has no connection to the service that runs the model.", UNCONNECTED)

    return ask


def is_external(fitted: Fitted | None) -> bool:
    """Whether a service computes this model, possibly restricted to some of its labels."""
    return isinstance(getattr(fitted, "fitted", fitted), ExternalModel)


def checked_table(answers: Any, labels: Sequence[str], inputs: int) -> FloatArray:
    """The answers as probabilities, shape (inputs, labels). answers: as they were received, one per input, in their
    order. Raises Invalid with a sentence."""
    if not isinstance(answers, list):
        raise Invalid("“predictions” is not a list.")
    if len(answers) != inputs:
        raise Invalid(f"There are {len(answers)} predictions for {inputs} inputs.")
    rows = [checked_row(one, labels, f"Prediction {place}") for place, one in enumerate(answers, 1)]
    return np.array(rows).reshape(inputs, len(labels))


def checked_row(answer: Any, labels: Sequence[str], of: str) -> list[float]:
    """The probabilities in the order of the labels; one that is missing is 0. answer: as it was received. of: begins
    the sentence. Raises Invalid unless it maps known labels to numbers from 0 to 1 whose sum is 1, give or take
    `SUM_TOLERANCE`."""
    if not isinstance(answer, Mapping) or not answer:
        raise Invalid(f"{of} is not an object of labels and probabilities.")
    unknown = next((name for name in answer if name not in labels), None)
    if unknown is not None:
        raise Invalid(f"{of} has “{str(unknown)[:60]}”, which is none of the labels ({_named(labels)}).")
    for name, value in answer.items():
        if not _is_probability(value):
            raise Invalid(f"{of} gives “{name}” {str(value)[:20]}, which is not a number from 0 to 1.")
    total = math.fsum(answer.values())
    if abs(total - 1) > SUM_TOLERANCE:
        raise Invalid(f"{of} has probabilities that add up to {total:.3f}, not to 1.")
    by = 1.0 if abs(total - 1) <= EXACT else total
    return [float(answer.get(label, 0.0)) / by for label in labels]


def _is_probability(value: Any) -> bool:
    """Whether the value is a number from 0 to 1. NaN fails the comparison."""
    return isinstance(value, float | int) and not isinstance(value, bool) and 0 <= value <= 1


def _named(labels: Sequence[str], most: int = 5) -> str:
    return ", ".join(labels[:most]) + (", …" if len(labels) > most else "")
