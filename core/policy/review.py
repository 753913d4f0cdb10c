"""`[queues.NAME.review]`."""

from typing import Literal

from pydantic import Field

from core.policy.base import Section, Share


class ReviewPolicy(Section):
    """What reviewers see."""

    blind_share: Share = Field(
        1 / 3, description="share of items shown without the model's guess; only these may become golden"
    )
    buttons: int = Field(
        4, ge=1, le=20, description="labels offered as buttons beside the model's guess; the others are under Other…"
    )
    reveal: Literal["tally", "names"] = Field(
        "tally", description="what everyone sees of the votes once an item is settled"
    )
