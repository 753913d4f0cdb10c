"""`[queues.NAME.flagging]`: which predictions are reviewed."""

import re
from dataclasses import dataclass
from functools import cached_property

from pydantic import Field, field_validator

from core.policy.base import Probability, Section, Share

_PROMISE = re.compile(r"(?P<percent>\d{1,2}(\.\d+)?) ?%")
_BUDGET = re.compile(r"(?P<items>[1-9]\d{0,5}) a day|(?P<percent>\d{1,2}(\.\d+)?|100) ?%")


@dataclass(frozen=True)
class Budget:
    """What people can review in a day: a number of items, or a share in (0, 1] of all predictions. The other is
    None."""

    items: int | None
    share: float | None

    @staticmethod
    def parse(words: str) -> "Budget | None":
        """The budget written as "60 a day" or "20%"; None for other words."""
        found = _BUDGET.fullmatch(words)
        if found is None:
            return None
        if found["items"]:
            return Budget(int(found["items"]), None)
        share = float(found["percent"]) / 100
        return Budget(None, share) if share else None

    def asked(self, volume: int) -> int:
        """The number of items allowed in a day with this many predictions."""
        return self.items if self.items is not None else round((self.share or 0.0) * volume)

    def rule_share(self, volume: int | None, lot: float) -> float:
        """The share of the predictions that a rule may flag, in [0, 1], so that together with the audited ones, they
        use up the budget. volume: predictions in a day; None or 0: not known, so any prediction may wait. lot: the
        audit's share."""
        share = self.share
        if share is None:
            share = (self.items or 0) / volume if volume else 1.0
        return min(1.0, max(0.0, (share - lot) / (1 - lot))) if lot < 1 else 0.0


class FlaggingPolicy(Section):
    """Thresholds below which a prediction is sent to the reviewers, or a budget from which the threshold follows."""

    budget: str = Field(
        "",
        max_length=20,
        description='limit on the items opened in a day: a number ("60 a day") or a share of the predictions ("20%"); '
        "reviewers get the predictions that the model is least sure of, and `confidence` and `margin` have no effect; "
        "empty: no budget",
    )
    promise: str = Field(
        "",
        max_length=20,
        description='largest share of all answers that may be wrong without a person having seen them, such as "2%"; '
        "needs a budget, and exceeds it only if a lead allows that; empty: no promise",
    )
    promise_sure: float = Field(0.9, ge=0.5, lt=1, description="probability with which the promise holds")
    held_back_share: Share = Field(
        0.1,
        description="with a promise: random share of the flagged predictions that is reviewed blind and never used for "
        "training",
    )
    disagreement: bool = Field(
        True,
        description="with a budget: after the least sure predictions, also review those to which a candidate in "
        "shadow, or the other model of a canary, gives another label",
    )
    drift: bool = Field(
        True,
        description="with a budget: for a week after a drift alarm, also review predictions with the labels that it "
        "names, after the least sure ones",
    )
    confidence: Probability = Field(0.8, description="flag a prediction if its highest probability is below this")
    margin: Probability = Field(
        0.1, description="flag a prediction if its two highest probabilities are closer than this"
    )
    audit_share: Share = Field(
        0.05,
        description="random share of all predictions, drawn before any rule; reviewed blind, never used for training",
    )

    @field_validator("budget")
    @classmethod
    def _is_a_budget(cls, value: str) -> str:
        if value and Budget.parse(value) is None:
            raise ValueError('must be like "60 a day" or "20%"')
        return value

    @field_validator("promise")
    @classmethod
    def _is_a_share(cls, value: str) -> str:
        found = _PROMISE.fullmatch(value)
        if value and (found is None or not 0 < float(found["percent"]) <= 50):
            raise ValueError('must be like "2%", above 0 and at most 50%')
        return value

    @cached_property
    def promised(self) -> float | None:
        """The share promised, in (0, 0.5]. None: there is no promise, or no budget within which to keep it."""
        found = _PROMISE.fullmatch(self.promise) if self.budget else None
        return float(found["percent"]) / 100 if found else None

    @cached_property
    def limit(self) -> Budget | None:
        """The budget; None: there is none."""
        return Budget.parse(self.budget)
