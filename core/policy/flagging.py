"""`[queues.NAME.flagging]`: which predictions are reviewed."""

from pydantic import Field

from core.policy.base import Probability, Section, Share


class FlaggingPolicy(Section):
    """Thresholds below which a prediction is sent to the reviewers."""

    confidence: Probability = Field(0.8, description="flag a prediction if its highest probability is below this")
    margin: Probability = Field(
        0.1, description="flag a prediction if its two highest probabilities are closer than this"
    )
    audit_share: Share = Field(
        0.05,
        description="random share of all predictions, drawn before any rule; reviewed blind, never used for training",
    )
