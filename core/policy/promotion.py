"""`[queues.NAME.promotion]`."""

from pydantic import Field

from core.policy.base import Section


class PromotionPolicy(Section):
    """The golden gate, and who says yes."""

    approvals: int = Field(1, ge=1, le=10, description="leads who must react with :white_check_mark:")
    alpha: float = Field(0.05, gt=0, lt=0.5, description="level of the paired tests that block a candidate")
    class_rows: int = Field(
        20, ge=2, le=10_000, description="golden rows a label needs to be tested alone; fewer: listed only"
    )
    non_inferiority: float = Field(0.01, ge=0, le=1, description="warn when a fall of this size cannot be excluded")
    reminder_hours: float = Field(24, gt=0, le=720, description="remind the leads when a candidate waits this long")
