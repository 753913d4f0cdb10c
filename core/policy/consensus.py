"""`[queues.NAME.consensus]`."""

from typing import Literal

from pydantic import Field

from core.policy.base import Section


class ConsensusPolicy(Section):
    """When several people's votes become a verdict."""

    rule: Literal["lead_by_2", "majority"] = Field(
        "lead_by_2",
        description="`lead_by_2`: stop when one answer is two ahead; `majority`: when it has over half of `votes`",
    )
    votes: int = Field(3, ge=1, le=15, description="at most this many votes per item; then a lead decides")
    cannot_judge: int = Field(2, ge=1, le=15, description='this many "cannot judge" bring the item to a lead')
