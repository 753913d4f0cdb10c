"""The plain words about the live model, for people who read no intervals."""

from dataclasses import replace
from typing import Any

import pytest

from bot.wording.production import plain_words
from core.learning.evaluation.intervals import Interval
from core.learning.lifecycle.production import ProductionEstimate
from core.review.promise_reading import PromiseReading
from core.vocabulary import PromiseStatus

SHARE = Interval(0.91, 0.88, 0.94)
ESTIMATE = ProductionEstimate("v3", SHARE, 62, 1200, 264, ())
KEPT = PromiseReading(0.02, 0.9, PromiseStatus.KEPT, 120, 99, None, 60, 0.01, None)


@pytest.mark.parametrize(
    ("changed", "promise", "words"),
    [
        ({}, KEPT, "with that at most 2 in 100 are wrong and unseen."),
        ({}, replace(KEPT, status=PromiseStatus.ABOVE_BUDGET, within_budget=0.035), "at most 3.5 in 100 are wrong"),
        ({}, replace(KEPT, status=PromiseStatus.NOT_YET, within_budget=None), "People look at 22%."),
        ({}, None, "People look at 22%."),
        ({"right": None, "audits": 7}, None, "not known yet: 7 of 30 random checks are settled."),
    ],
)
def test_the_numbers_are_said_in_plain_words(
    changed: dict[str, Any], promise: PromiseReading | None, words: str
) -> None:  # fmt: skip
    said = plain_words(replace(ESTIMATE, **changed), promise)
    assert words in said
    if not changed:
        assert said.startswith("About 91 of 100 live answers agree with what people settle (88 to 94). People look at")


def test_without_answers_nothing_is_said() -> None:
    assert plain_words(ProductionEstimate(None, None, 0, 0, 0, ()), KEPT) == ""
