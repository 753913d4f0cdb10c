"""Another model gives the input another label: a candidate in shadow, or the other model of a canary.

It answers a few seconds after the prediction was stored, so no rule can ask for it when the prediction arrives.
"""

from core.intake.reasons.base import FlagReason
from core.vocabulary import Reason


def disagreement(label: str | None, other: str, model: str) -> FlagReason | None:
    """label: of the prediction; other: what the other model, of this name, says. Values: label, model. None: they
    agree, or the prediction has no label."""
    return FlagReason(Reason.DISAGREEMENT, {"label": other, "model": model}) if label not in (None, other) else None
