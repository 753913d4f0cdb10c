"""`[queues.NAME.drift]`: the daily test for changes in the traffic."""

from pydantic import Field

from core.policy.base import Section


class DriftPolicy(Section):
    """The daily comparison of the last days with the days before."""

    level: float = Field(
        0.01,
        ge=0,
        le=0.1,
        description="probability of a false alarm in a day, all readings together; 0: no alarms",
    )
    learn_days: int = Field(
        14,
        ge=7,
        le=60,
        description="days after a promotion that are learned from before the model's readings can cause an alarm",
    )
    retrain: bool = Field(
        False, description="request a training run when more answers are wrong or unsure than in the days before"
    )
