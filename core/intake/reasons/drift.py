"""The model gives a label that an alarm of drift is about: people correct it more often than before, or found that no
label fits what has it."""

from core.intake.reasons.base import FlagReason, Scored
from core.policy import QueuePolicy
from core.vocabulary import DriftSign, Reason

# Of the budget's cut, from which on a prediction is flagged because texts with its label fit none. Such texts make a
# model unsure, so its surest answers with the label say nothing about them. Corrected answers may be sure ones. From a
# quarter on, fewer of the new texts are found, and from 0 on, most of what is flagged is right (docs/methods.md).
NEAR = 0.1


def drift(scored: Scored, policy: QueuePolicy) -> FlagReason | None:
    """Under a budget alone: without one, it would send everything with this label to people. Values: label, sign (of
    `DriftSign`)."""
    if scored.cut is None or scored.drift is None or not policy.flagging.drift:
        return None
    if scored.drift is DriftSign.NONE_OF_THESE and scored.score < NEAR * scored.cut:
        return None
    return FlagReason(Reason.DRIFT, {"label": scored.label, "sign": scored.drift})
