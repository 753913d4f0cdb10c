"""A random sample of all predictions, from which the accuracy of what no person sees is estimated.

The lot is drawn for each prediction before any rule is asked, and drawn predictions are blind and never train. A sample
of only what the rules let pass would lack the flagged predictions that are never reviewed.
"""

from core.intake.reasons.base import FlagReason, Scored
from core.policy import QueuePolicy
from core.vocabulary import Reason


def audit(scored: Scored, policy: QueuePolicy) -> FlagReason | None:
    """Values: share."""
    share = policy.flagging.audit_share
    return FlagReason(Reason.AUDIT, {"share": share}, share) if scored.draw < share else None
