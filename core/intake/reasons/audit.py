"""A random sample of all predictions, from which the accuracy of unreviewed predictions is estimated.

The draw is made for each prediction before any rule is applied; drawn predictions are blind and never train. A sample
of only the unflagged predictions would lack flagged ones that are never reviewed.
"""

from core.intake.reasons.base import FlagReason, Scored
from core.policy import QueuePolicy
from core.vocabulary import Reason


def audit_purpose(queue_id: int) -> str:
    """The purpose of the draw, which depends only on the content: the same content is always audited, or never."""
    return f"audit {queue_id}"


def audit(scored: Scored, policy: QueuePolicy) -> FlagReason | None:
    """The flag of the audit, if it drew the prediction. Values: share."""
    share = policy.flagging.audit_share
    return FlagReason(Reason.AUDIT, {"share": share}, share) if scored.draw < share else None
