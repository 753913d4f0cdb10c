"""`[queues.NAME.golden]`."""

from pydantic import Field

from core.policy.base import Section, Share


class GoldenPolicy(Section):
    """Verified examples that never train."""

    seed_share: Share = Field(0.1, description="random share (by content hash) of the seed file that becomes golden")
    random_share: Share = Field(
        0.1, description="random share of the blind items that becomes golden, whatever the model said"
    )
    near_duplicate: float = Field(
        0.92,
        ge=0.5,
        le=1,
        description="training rows this similar to a golden one (cosine of character n-grams) are left out",
    )
