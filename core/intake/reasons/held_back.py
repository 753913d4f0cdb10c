"""A random sample of what a rule sends to people, while a queue has a promise: blind, and never used for training.

A later model learns from the other flagged predictions, so its answers to those say nothing about its errors. The
sample stands for them in the bound behind the promise (core/quality/promise.py)."""

from core.intake.reasons.base import FlagReason, Scored
from core.policy import QueuePolicy
from core.vocabulary import Reason


def held_back_purpose(queue_id: int) -> str:
    """The purpose of the draw, which depends only on the content: the same content is always held back, or never."""
    return f"held back {queue_id}"


def held_back(scored: Scored, policy: QueuePolicy) -> FlagReason | None:
    """The flag of a prediction that is held back; a rule applies to it. Values: share. None: it was not drawn, or the
    queue has no promise."""
    share = policy.flagging.held_back_share if policy.flagging.promised is not None else 0.0
    return FlagReason(Reason.HELD_BACK, {"share": share}, share) if scored.held_back_draw < share else None
