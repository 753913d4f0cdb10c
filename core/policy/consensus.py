"""`[queues.NAME.consensus]`: when votes become a verdict."""

from typing import Literal

from pydantic import Field

from core.policy.base import Section


class ConsensusPolicy(Section):
    """The rule that turns several people's votes into a verdict."""

    rule: Literal["lead_by_2", "majority"] = Field(
        "lead_by_2",
        description="`lead_by_2`: an answer wins when two votes ahead; `majority`: with more than half of `votes`",
    )
    votes: int = Field(
        5, ge=1, le=15, description="maximum number of votes per item; without a verdict, a lead decides"
    )
    cannot_judge: int = Field(2, ge=1, le=15, description='number of "cannot judge" answers after which a lead decides')
