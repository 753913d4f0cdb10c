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
        50,
        ge=0,
        le=1_000_000,
        description="number of new corrections that starts a training run; 0: corrections never start one",
    )
    error_weight: float = Field(
        2, gt=0, le=10, description="training weight of a row that corrects the model; a seed row has 1"
    )
    confirmed_weight: float = Field(1, gt=0, le=10, description="training weight of a row that confirms the model")
    learner: str = Field("text", description="name of an installed learner (entry point group `goldloop.learners`)")

    @field_validator("cron")
    @classmethod
    def _five_fields(cls, value: str | None) -> str | None:
        problem = None if value is None else crontab_problem(value)
        if problem:
            raise ValueError(problem)
        return value
