"""Is a prediction worth a person's look? Values in, reasons out."""

from dataclasses import dataclass

from core.policy import QueuePolicy
from core.vocabulary import Reason

ROUNDING = 1e-9  # of a difference of two floats: 0.5 - 0.4 is a little below 0.1


@dataclass(frozen=True)
class FlagReason:
    """`inclusion_probability`: how likely a prediction like this one is flagged for this reason. 1 for a rule; for the
    random sample the audit share, so that estimates from it can be weighted (Horvitz and Thompson 1952)."""

    reason: Reason
    detail: str
    inclusion_probability: float


def reasons_to_review(
    label: str, confidence: float, second: float | None, draw: float, policy: QueuePolicy
) -> tuple[FlagReason, ...]:
    """confidence, second: the two highest probabilities, in [0, 1]; second is None when the sender gave no others.
    draw: uniform in [0, 1), the audit's lot. Empty: nobody needs to look.

    At a threshold exactly, the prediction is not flagged.
    """
    threshold = policy.confidence_threshold(label)
    if confidence < threshold:
        return (FlagReason(Reason.UNCERTAIN, f"{confidence:.0%} sure, below {threshold:.0%}", 1.0),)
    if second is not None and confidence - second < policy.margin_threshold(label) - ROUNDING:
        detail = f"{confidence:.0%} against {second:.0%} for the next label"
        return (FlagReason(Reason.UNCERTAIN, detail, 1.0),)
    if draw < policy.flagging.audit_share:
        detail = f"random check of sure predictions ({policy.flagging.audit_share:.0%})"
        return (FlagReason(Reason.AUDIT, detail, policy.flagging.audit_share),)
    return ()
