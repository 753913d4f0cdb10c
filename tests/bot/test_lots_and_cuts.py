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
            "It was drawn for the audit, a random check of 5% of all predictions. No rule has sent it to people.",
        ),
        (
            Drawn(0.05, False, 0.1, True, True),
            "It was not drawn for the audit, a random check of 5% of all predictions. A rule sent it to people. It was "
            "drawn to be held back from training (10% of the flagged ones).",
        ),
        (
            Flagged(
                Coded(Reason.UNCERTAIN, {"confidence": 0.62, "budget": "60 a day", "cut": 0.31, "score": 0.44}),
                None,
                "b",
            ),
            "Asked because this is one of the model's least sure predictions (62%); the budget is 60 a day. "
            "The model's doubt was 0.44; from 0.31 on, predictions are reviewed. Policy b.",
        ),
    ],
)
def test_an_items_history_says_under_which_lot_and_cut(step: Any, words: str) -> None:
    assert item_step(step, PLAIN) == words
