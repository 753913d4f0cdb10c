"""The types of a flag reason: its input and its result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.policy import QueuePolicy
from core.vocabulary import DriftSign, Reason


@dataclass(frozen=True)
class Scored:
    """A prediction as a reason sees it. confidence, second: the two highest probabilities, in [0, 1]; second is None
    when the sender gave no others. draw, held_back_draw: uniform in [0, 1), the prediction's random numbers for the
    audit and for the lot that is held back. cut: the score from which on the queue's budget flags predictions; None: it
    has no budget, or no score is known yet. weak_slice: values of that reason, where the prediction is in a slice about
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
        """How suspicious the model finds it, in [0, 1]."""
        return 1 - self.confidence if self.suspicion is None else self.suspicion


@dataclass(frozen=True)
class FlagReason:
    """Why a prediction is flagged, with the values of the sentence about it. `inclusion_probability`: how likely a
    prediction like this one is flagged for this reason: 1 for a rule, the audit's share for the audit."""

    reason: Reason
    values: Mapping[str, Any] = field(default_factory=dict)
    inclusion_probability: float = 1.0


Ask = Callable[[Scored, QueuePolicy], FlagReason | None]  # None: not for this reason
