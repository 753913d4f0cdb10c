"""`[queues.NAME.drift]`: the daily test for changes in the traffic."""

from pydantic import Field

from core.policy.base import Section


class DriftPolicy(Section):
    """The daily comparison of the last days with the days before."""

    level: float = Field(
        0.01,
        ge=0,
        le=0.1,
        description="probability of a false alarm per day, over all readings; 0: no alarms",
    )
    learn_days: int = Field(
        14,
        ge=7,
        le=60,
        description="days after a promotion that serve as reference before the model's readings can raise an alarm",
    )
    retrain: bool = Field(
        False, description="request a training run when an alarm says that more answers are wrong or unsure than before"
    )
