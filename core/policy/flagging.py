"""`[queues.NAME.flagging]`."""

from pydantic import Field

from core.policy.base import Probability, Section, Share


class FlaggingPolicy(Section):
    """Which predictions deserve a person's look."""

    confidence: Probability = Field(0.8, description="flag a prediction whose top probability is below this")
    margin: Probability = Field(0.1, description="flag when the top two probabilities are closer than this")
    audit_share: Share = Field(0.05, description="random share of the confident predictions that people check")
