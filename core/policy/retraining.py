"""`[queues.NAME.retraining]`."""

from pydantic import Field, field_validator

from core.policy.base import Section
from core.policy.crontab import crontab_problem


class RetrainingPolicy(Section):
    """When a new candidate is made, and of what."""

    cron: str | None = Field(
        None, description="five fields in UTC, weekdays by name, e.g. `0 3 * * mon`; none: no schedule"
    )
    corrections: int = Field(
        50, ge=0, le=1_000_000, description="retrain when this many new corrections have come; 0: never because of them"
    )
    error_weight: float = Field(2, gt=0, le=10, description="weight of a corrected row; a seed row has 1")
    confirmed_weight: float = Field(1, gt=0, le=10, description="weight of a row on which the model was right")
    learner: str = Field("text", description="name of an entry point in the group `goldloop.learners`")

    @field_validator("cron")
    @classmethod
    def _five_fields(cls, value: str | None) -> str | None:
        problem = None if value is None else crontab_problem(value)
        if problem:
            raise ValueError(problem)
        return value
