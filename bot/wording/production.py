"""Words about how often the live model's answers agree with the labels that people settle."""

from bot.wording.numbers import count, percent
from core.learning.evaluation.intervals import Interval
from core.learning.evaluation.production import FEWEST_AUDITS
from core.learning.lifecycle.production import LabelEstimate, ProductionEstimate
from core.review.promise_reading import PromiseReading
from core.vocabulary import PromiseStatus


def agreement(estimate: ProductionEstimate) -> str:
    """The estimate for all answers: "91% (88 to 94), 62 audits"."""
    if estimate.right is None:
        return f"not known yet: {estimate.audits} of {FEWEST_AUDITS} audits settled"
    return f"{shown(estimate.right)}, {count(estimate.audits, 'audit')}"


def plain_words(estimate: ProductionEstimate, promise: PromiseReading | None) -> str:
    """For people who read no intervals: "About 91 of 100 live answers agree with what people settle (88 to 94). People
    look at 22%; with that at most 2 in 100 are wrong and unseen." Without a promise, or while nothing can be said of
    it, without the last part. Empty: there were no answers yet."""
    if not estimate.rows:
        return ""
    right = estimate.right
    found = (
        f"About {right.estimate * 100:.0f} of 100 live answers agree with what people settle "
        f"({right.low * 100:.0f} to {right.high * 100:.0f})."
        if right is not None
        else f"How many live answers are right is not known yet: {estimate.audits} of {FEWEST_AUDITS} random checks "
        "are settled."
    )
    looked = f"People look at {percent(round(estimate.reviewed / estimate.rows, 2))}"
    unseen = _unseen(promise) if promise is not None else None
    bound = f"; with that at most {unseen * 100:.2g} in 100 are wrong and unseen" if unseen is not None else ""
    return f"{found} {looked}{bound}."


def _unseen(promise: PromiseReading) -> float | None:
    """The share that can be promised with the present reviews. None: nothing can be said."""
    return promise.promised if promise.status is PromiseStatus.KEPT else promise.within_budget


def label_agreement(estimate: LabelEstimate) -> str:
    """The estimate for the answers with one label: "91% (82 to 96)"."""
    if estimate.right is None:
        return f"not known yet ({count(estimate.audits, 'audit')})"
    return shown(estimate.right)


def shown(right: Interval) -> str:
    """A share with its interval: "91% (88 to 94)"."""
    return f"{right.estimate:.0%} ({right.low * 100:.0f} to {right.high * 100:.0f})"
