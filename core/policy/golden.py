"""`[queues.NAME.golden]`: which examples test models and never train them."""

from pydantic import Field

from core.policy.base import Section, Share


class GoldenPolicy(Section):
    """Verified examples that never train."""

    seed_share: Share = Field(
        0.1, description="random share of the seed file that becomes golden, chosen by content hash"
    )
    random_share: Share = Field(
        0.1,
        description="random share of the other blind items that becomes golden, whether the model was right or wrong",
    )
    audited_share: Share = Field(
        0.5, description="random share of the audited items that becomes golden; the others are used only for estimates"
    )
    past_errors: int = Field(
        100,
        ge=0,
        le=100_000,
        description="number of past errors that stay golden, of those known when the live model was trained; older "
        "ones move to training",
    )
    past_errors_beyond: int = Field(
        200, ge=0, le=100_000, description="number of further past errors that stay golden, the newest first"
    )
    second_looks: int = Field(
        5,
        ge=0,
        le=10_000,
        description="number of probably wrong stored labels that reviewers are asked about again per day",
    )
    near_duplicate: float = Field(
        0.92,
        ge=0.5,
        le=1,
        description="leave out training rows at least this similar to a golden example (cosine of character n-grams)",
    )
