"""The diagnostic numbers of a model with two labels, for radiologists: sensitivity, specificity and calibration on the
held-out pictures."""

import numpy as np

from bot.demo.data import Shares
from core.learning.evaluation.intervals import Interval, wilson
from core.learning.evaluation.paired_tests import calibration_error
from core.learning.lifecycle.serving import LiveModel

HEALTHY = ("normal", "healthy", "negative", "no finding", "0")


def two_label_rows(model: LiveModel, shares: Shares) -> list[tuple[str, str]]:
    """Lines for the summary; none for texts, and none for more than two labels. The finding is the label whose name
    does not mean "no finding"; if both could be, the second."""
    held_out = [ticket for ticket in shares.unseen if ticket.picture is not None]
    if len(shares.labels) != 2 or not held_out:
        return []
    finding = max(shares.labels, key=lambda label: (label.casefold() not in HEALTHY, label))
    table = model.fitted.probabilities([ticket.input for ticket in held_out])
    answers = np.array([model.fitted.classes[column] for column in table.argmax(axis=1)])
    truth = np.array([ticket.label for ticket in held_out])
    sick, right = truth == finding, answers == truth
    error = calibration_error(table.max(axis=1), right.astype(np.float64))
    return [
        ("Sensitivity", _share(right[sick], f"of {finding} found")),
        ("Specificity", _share(right[~sick], "of the others left alone")),
        ("Calibration", f"off by {error:.1%} on average, for pictures mixed as these are"),
    ]


def _share(right: np.ndarray[tuple[int], np.dtype[np.bool_]], what: str) -> str:
    if not len(right):
        return "no picture of it was held out"
    found: Interval = wilson(int(right.sum()), len(right))
    return f"{found.estimate:.1%} {what} (95% interval {found.low:.1%} to {found.high:.1%}, n = {len(right)})"
