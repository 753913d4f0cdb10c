"""The model is not sure enough of its label, or two labels are too close."""

from core.intake.reasons.base import FlagReason, Scored
from core.policy import QueuePolicy
from core.vocabulary import Reason

ROUNDING = 1e-9  # of a difference of two floats: 0.5 - 0.4 is a little below 0.1


def uncertain(scored: Scored, policy: QueuePolicy) -> FlagReason | None:
    """At a threshold exactly, the prediction is not flagged. Values: confidence and threshold, or confidence and second
    where the margin between these two is too small."""
    threshold = policy.confidence_threshold(scored.label)
    if scored.confidence < threshold:
        return FlagReason(Reason.UNCERTAIN, {"confidence": scored.confidence, "threshold": threshold})
    if scored.second is None:
        return None
    if scored.confidence - scored.second < policy.margin_threshold(scored.label) - ROUNDING:
        return FlagReason(Reason.UNCERTAIN, {"confidence": scored.confidence, "second": scored.second})
    return None
