"""The model is not sure of its label: below a threshold, with another label too close, or at or above a budget's
cut."""

from core.intake.reasons.base import FlagReason, Scored
from core.policy import QueuePolicy
from core.vocabulary import Reason

ROUNDING = 1e-9  # the error of a difference of two floats: 0.5 - 0.4 is a little below 0.1


def uncertain(scored: Scored, policy: QueuePolicy) -> FlagReason | None:
    """The flag of a prediction of which the model is not sure. A confidence equal to the threshold is not flagged;
    under a budget, a score equal to the cut is. Values: confidence and threshold; or confidence and second, if the
    margin between these two is too small; or, under a budget, confidence, budget, cut and score."""
    if scored.cut is not None:
        values = {
            "confidence": scored.confidence, "budget": policy.flagging.budget, "cut": scored.cut, "score": scored.score
        }  # fmt: skip
        return FlagReason(Reason.UNCERTAIN, values) if scored.score >= scored.cut - ROUNDING else None
    threshold, margin = policy.thresholds(scored.label)
    if scored.confidence < threshold:
        return FlagReason(Reason.UNCERTAIN, {"confidence": scored.confidence, "threshold": threshold})
    if scored.second is None:
        return None
    if scored.confidence - scored.second < margin - ROUNDING:
        return FlagReason(Reason.UNCERTAIN, {"confidence": scored.confidence, "second": scored.second})
    return None
