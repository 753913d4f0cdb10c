"""The prediction is in a part of the traffic in which the model is often wrong, about which a lead has people asked."""

from core.intake.reasons.base import FlagReason, Scored
from core.policy import QueuePolicy
from core.vocabulary import Reason


def weak_slice(scored: Scored, policy: QueuePolicy) -> FlagReason | None:
    """Values: request, and kind, name, value and other of the slice (`Look` in core/quality/slices.py)."""
    return FlagReason(Reason.WEAK_SLICE, scored.weak_slice) if scored.weak_slice is not None else None
