"""`[queues.NAME.retraining]`: when a training run starts, its learner, and the weights of its rows."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from cronsim import CronSim, CronSimError
from pydantic import Field, field_validator

from core.policy.base import Section

AUTO: Final = "auto"
MOST_WEIGHT = 10
CRON_FIELDS = "minute (0-59) hour (0-23) day-of-month (1-31) month (1-12, jan-dec) day-of-week (0-7, sun-sat)"


class RetrainingPolicy(Section):
    """When a new candidate is made, and of what."""

    cron: str | None = Field(None, description="cron's five fields in UTC, e.g. `0 3 * * mon`; none: no schedule")
    corrections: int = Field(
        50,
        ge=0,
        le=1_000_000,
        description="number of new corrections that starts a training run; 0: corrections never start one",
    )
    interval_hours: float = Field(
        24,
        ge=0,
        le=8760,
        description="hours during which new corrections do not supersede a candidate that waits for the leads",
    )
    error_weight: Annotated[float, Field(gt=0, le=MOST_WEIGHT)] | Literal["auto"] = Field(
        AUTO,
        description="training weight of a row that corrects the model; a seed row has 1; `auto`: runs measure it",
    )
    confirmed_weight: float = Field(1, gt=0, le=10, description="training weight of a row that confirms the model")
    learner: str = Field(
        "text",
        description="`text`; with the extra `embed` also `embedding` and `blend`; with `onnx` and an `encoder` also "
        "`embedding-onnx` and `blend-onnx`; `external` for a service of your own; or the learner of another package",
    )

    @field_validator("error_weight", mode="plain")
    @classmethod
    def _number_or_auto(cls, value: Any) -> float | str:
        """Refuse other values with a single sentence; a union would give one for each of its types."""
        if value == AUTO:
            return AUTO
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= MOST_WEIGHT:
            return float(value)
        raise ValueError(f'must be greater than 0 and less than or equal to {MOST_WEIGHT}, or "{AUTO}"')

    @field_validator("cron")
    @classmethod
    def _five_fields(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if len(value.split()) != 5:
            raise ValueError(f"needs five fields: {CRON_FIELDS}")
        try:
            CronSim(value, datetime(2000, 1, 1, tzinfo=UTC))
        except (CronSimError, ValueError) as error:  # ValueError: a number with thousands of digits
            expected = f"the fields are {CRON_FIELDS}, each *, a number, a-b, a,b or */n"
            raise ValueError(f"{error}; {expected}") from None
        return value

    @property
    def interval(self) -> timedelta:
        return timedelta(hours=self.interval_hours)

    def latest_slot(self, now: datetime) -> datetime | None:
        """The newest time of the schedule, in UTC, at or before `now`; None without a schedule."""
        if self.cron is None:
            return None
        just_after = now.astimezone(UTC) + timedelta(microseconds=1)  # CronSim leaves out its start
        return next(CronSim(self.cron, just_after, reverse=True), None)
