"""`[queues.NAME.slices]`: what people are asked about the slices in which the model is weak."""

from pydantic import Field

from core.policy.base import Section


class SlicesPolicy(Section):
    """The bounds within which a lead may have people asked about a weak slice."""

    asked: int = Field(
        3, ge=0, le=20, description="number of weak slices that reviewers may be asked about at a time; 0: none"
    )
    items: int = Field(50, ge=1, le=1000, description="largest number of items opened for one weak slice")
    days: int = Field(14, ge=1, le=90, description="days after which reviewers are no longer asked about a weak slice")
