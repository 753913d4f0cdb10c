"""The types of a flag reason: its input and its result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from core.policy import QueuePolicy
from core.vocabulary import DriftSign, Reason


class Scored(NamedTuple):
    """A prediction as a reason sees it: a tuple, as one is made for each row that comes. confidence, second: the two
    highest probabilities, in [0, 1]; second is None when the sender gave no others. draw, held_back_draw: the
    prediction's random numbers, uniform in [0, 1), for the audit and for being held back from training. cut: the
    score from which on the queue's budget flags predictions of this model; None: it has no budget, or no score
    is known yet. suspicion: the model's own, in [0, 1]; None: it offers none. drift: the sign of an alarm that
    is about this label; None: none is. weak_slice: values of that reason, if the prediction is in a slice about
    which people are asked."""

    label: str
    confidence: float
    second: float | None
    draw: float
    held_back_draw: float = 1.0
    cut: float | None = None
    suspicion: float | None = None
    drift: DriftSign | None = None
    weak_slice: Mapping[str, Any] | None = None

    @property
    def score(self) -> float:
        """The suspicion of the prediction, in [0, 1]."""
        return 1 - self.confidence if self.suspicion is None else self.suspicion


@dataclass(frozen=True)
class FlagReason:
    """Why a prediction is flagged, with the values of the sentence about it. `inclusion_probability`: how likely a
    prediction like this one is flagged for this reason: 1 for a rule, the audit's share for the audit."""

    reason: Reason
    values: Mapping[str, Any] = field(default_factory=dict)
    inclusion_probability: float = 1.0


Ask = Callable[[Scored, QueuePolicy], FlagReason | None]  # None: not for this reason
