"""`[queues.NAME.review]`: what reviewers see."""

from typing import Literal

from pydantic import Field

from core.policy.base import Section, Share


class ReviewPolicy(Section):
    """What a card shows to reviewers."""

    blind_share: Share = Field(
        1 / 3, description="share of items shown without the model's prediction; only these can become golden"
    )
    buttons: int = Field(
        12,
        ge=1,
        le=20,
        description="number of labels with a button of their own, the likeliest first; the rest are under Other…",
    )
    reveal: Literal["tally", "names"] = Field(
        "tally", description="what a settled item shows of the votes: `tally` for counts, `names` for who voted what"
    )
