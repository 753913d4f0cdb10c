"""`[queues.NAME.drift]`: the daily test whether the world has changed."""

from pydantic import Field

from core.policy.base import Section


class DriftPolicy(Section):
    """The daily comparison of the last days with the days before."""

    level: float = Field(
        0.01,
        ge=0,
        le=0.1,
        description="probability of an alarm on a day on which nothing has changed, over all readings; 0: no alarms",
    )
    learn_days: int = Field(
        14, ge=7, le=60, description="days of a new model that are learned from before its readings can cause an alarm"
    )
    retrain: bool = Field(
        False, description="request a training run when more answers are wrong or unsure than in the days before"
    )
