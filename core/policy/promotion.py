"""`[queues.NAME.promotion]`: the golden gate, and approval by leads."""

from pydantic import Field

from core.policy.base import Section


class PromotionPolicy(Section):
    """What a candidate must pass before it goes live."""

    approvals: int = Field(1, ge=1, le=10, description="number of leads who must approve with :white_check_mark:")
    alpha: float = Field(
        0.05,
        gt=0,
        lt=0.5,
        description="significance level of the paired tests on random golden examples, in total and per label",
    )
    pooled_alpha: float = Field(
        0.2,
        gt=0,
        lt=0.5,
        description="significance level of the paired test on all golden examples that count, including past errors",
    )
    training_alpha: float = Field(
        0.01,
        ge=0,
        lt=0.5,
        description="significance level of the paired test on held-out training rows; 0: off",
    )
    class_rows: int = Field(
        20,
        ge=2,
        le=10_000,
        description="golden examples that a label needs to be tested by itself; with fewer, it is only listed",
    )
    non_inferiority: float = Field(
        0.01, ge=0, le=1, description="warn if a loss of accuracy of this size cannot be ruled out"
    )
    reminder_hours: float = Field(
        24, gt=0, le=720, description="hours after which the leads are reminded of a waiting candidate"
    )
