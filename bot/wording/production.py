"""Words about how often the live model's answers agree with what people settle."""

from bot.wording.numbers import count
from core.learning.evaluation.intervals import Interval
from core.learning.evaluation.production import FEWEST_AUDITS
from core.learning.lifecycle.production import LabelEstimate, ProductionEstimate


def agreement(estimate: ProductionEstimate) -> str:
    """The estimate for all answers: "91% (88 to 94), 62 audits"."""
    if estimate.right is None:
        return f"not known yet: {estimate.audits} of {FEWEST_AUDITS} audits settled"
    return f"{_shown(estimate.right)}, {count(estimate.audits, 'audit')}"


def label_agreement(estimate: LabelEstimate) -> str:
    """The estimate for the answers with one label: "91% (82 to 96)"."""
    if estimate.right is None:
        return f"not known yet ({count(estimate.audits, 'audit')})"
    return _shown(estimate.right)


def _shown(right: Interval) -> str:
    return f"{right.estimate:.0%} ({right.low * 100:.0f} to {right.high * 100:.0f})"
