"""`[queues.NAME.workload]`."""

from pydantic import Field

from core.policy.base import Section


class WorkloadPolicy(Section):
    """People's time is the budget."""

    daily_cap: int = Field(
        120, ge=1, le=10_000, description="votes per person and day (the queue's time zone); then: tomorrow"
    )
