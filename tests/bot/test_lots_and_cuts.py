"""Under which lot and which cut a prediction came, in an item's history."""

from typing import Any

import pytest

from bot.wording.format import PLAIN
from bot.wording.item_history import item_step
from core.review.history import Drawn, Flagged
from core.vocabulary import Coded, Reason


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (
            Drawn(0.05, True, 0.0, False, False),
            "The audit's lot (5% of all predictions) drew it. No rule has sent it to people.",
        ),
        (
            Drawn(0.05, False, 0.1, True, True),
            "The audit's lot (5% of all predictions) did not draw it. A rule sent it to people. The lot that is held "
            "back (10% of the flagged ones) drew it.",
        ),
        (
            Flagged(Coded(Reason.UNCERTAIN, {"confidence": 0.62, "budget": "60 a day", "cut": 0.31}), None, "b"),
            "Asked because this is one of the model's least sure predictions (62%); the budget is 60 a day. "
            "Its score was 0.38, and the cut was 0.31. Policy b.",
        ),
    ],
)
def test_an_items_history_says_under_which_lot_and_cut(step: Any, words: str) -> None:
    assert item_step(step, PLAIN) == words
