"""`[queues.NAME.rollout]`: how a candidate goes live step by step."""

from typing import Literal

from pydantic import Field

from core.policy.base import Section


class RolloutPolicy(Section):
    """The steps between a candidate and the model that answers everyone."""

    shadow_hours: float = Field(
        0,
        ge=0,
        le=720,
        description="hours in which a candidate predicts beside the live model before leads can promote it; 0: none",
    )
    canary_share: float = Field(
        0,
        ge=0,
        le=0.5,
        description="share of requests, by hash of the external id, that a promoted model answers at first; 0: all",
    )
    canary_hours: float = Field(
        168, gt=0, le=2160, description="hours of a canary, over which its looks are spread evenly"
    )
    canary_looks: int = Field(
        4, ge=1, le=20, description="number of looks at a canary; each is a test at `canary_alpha` / `canary_looks`"
    )
    canary_alpha: float = Field(
        0.05,
        gt=0,
        lt=0.5,
        description="probability, over all looks, of proposing a rollback although the new model is equally good",
    )
    expiry_hours: float = Field(
        168,
        ge=0,
        le=8760,
        description="hours after which a waiting candidate is recorded as not decided, and the leads are asked again; "
        "0: never",
    )
    open_items: Literal["ask", "close"] = Field(
        "ask",
        description="open items after a promotion: `ask` shows the new model's suggestion on them; `close` closes "
        "those that are unanswered and were flagged only because a model was unsure",
    )
