"""A random sample of the predictions that no other reason flags: from it the accuracy of the rest is estimated."""

from core.intake.reasons.base import FlagReason, Scored
from core.policy import QueuePolicy
from core.vocabulary import Reason


def audit(scored: Scored, policy: QueuePolicy) -> FlagReason | None:
    """Values: share."""
    share = policy.flagging.audit_share
    return FlagReason(Reason.AUDIT, {"share": share}, share) if scored.draw < share else None
