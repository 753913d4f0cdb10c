"""`[queues.NAME.workload]`: limits on what is asked of each reviewer."""

from pydantic import Field

from core.policy.base import Section


class WorkloadPolicy(Section):
    """Limits on what is asked of each reviewer."""

    daily_cap: int = Field(
        120, ge=1, le=10_000, description="maximum number of votes per person and day, in the queue's `time_zone`"
    )
