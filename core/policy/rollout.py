"""`[queues.NAME.rollout]`: how gently a candidate goes live."""

from typing import Literal

from pydantic import Field

from core.policy.base import Section


class RolloutPolicy(Section):
    """The steps between a candidate and the model that answers everyone."""

    open_items: Literal["ask", "close"] = Field(
        "ask",
        description="open items after a promotion: `ask` shows the new model's suggestion on them; `close` closes "
        "those that are unanswered and were flagged for a model's doubt alone",
    )
