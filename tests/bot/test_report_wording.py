"""The plain line of a report and its counts: what they say, and that points never come from pooled counts."""

from dataclasses import replace
from typing import Any

import pytest

from bot.wording.format import PLAIN
from bot.wording.report import counts_sentence, plain_line, what_counts
from core.learning.evaluation.compare import Predicted, compare
from core.learning.evaluation.intervals import Interval
from core.learning.evaluation.paired_tests import mcnemar_p_value
from core.learning.evaluation.scorecard import PooledScore, Scorecard
from core.vocabulary import Coded, GateBlock
from tests.people import support_policy

EMPTY = compare([], Predicted(()), Predicted(()), support_policy().queues[0])


def pooled(regressions: int, improvements: int, n: int = 236, **more: int) -> PooledScore:
    found = PooledScore(n, 100, 0, 0, regressions, improvements, mcnemar_p_value(regressions, improvements))
    return replace(found, **more)


def card(estimate: float = 0.0, low: float = -0.01, n: int = 136, score: PooledScore | None = None) -> Scorecard:
    random = replace(EMPTY.random, n=n, difference=Interval(estimate, low - 0.01, 1), ci_lower=low)
    return replace(EMPTY, random=random, pooled=score or pooled(12, 8))


def test_the_plain_line_is_the_first_thing_a_lead_needs() -> None:
    assert plain_line(card(0.07, 0.016), True, (), PLAIN) == "Better: +7.0 points, at least +1.6."
    assert plain_line(card(0.03, -0.004), True, (), PLAIN) == "No measurable difference."
    assert plain_line(card(0.0, 0.0), True, (), PLAIN) == "No measurable difference."
    assert plain_line(EMPTY, True, (), PLAIN).startswith("Nothing could be measured")


def test_points_never_come_from_pooled_counts() -> None:
    many_fixed = pooled(0, 90)
    assert plain_line(card(score=many_fixed, n=0), True, (), PLAIN) == "No measurable difference."
    assert "points" not in counts_sentence(many_fixed)
    assert "points" not in plain_line(card(-0.02), False, (Coded(GateBlock.MORE_REGRESSIONS, {}),), PLAIN)


REASONS: list[tuple[GateBlock, dict[str, Any], str]] = [
    (GateBlock.BEHIND_GUESS, {}, "it is right less often than always guessing the most common label"),
    (GateBlock.WORSE, {}, "more random golden examples are newly wrong than newly right"),
    (GateBlock.MORE_REGRESSIONS, {}, "more golden examples are newly wrong than newly right"),
    (GateBlock.PIN_REGRESSED, {"examples": [4, 7]}, "2 pinned past errors would be wrong again"),
    (GateBlock.LABEL_WORSE, {"label": "refund"}, "“refund” gets worse"),
    (GateBlock.ROWS_GONE, {"label": "refund"}, "“refund” has lost its training rows"),
    (GateBlock.SILENT_LABEL, {"label": "refund"}, "it hardly ever predicts “refund”"),
    (GateBlock.LABELS_EXCHANGED, {"labels": ["login", "refund"]}, "“login” and “refund” have changed places"),
    (GateBlock.LABELS_SWAPPED, {"labels": ["login", "refund"]}, "“login” and “refund” look swapped"),
    (GateBlock.LABEL_LOST, {"label": "refund"}, "“refund” is lost"),
    (GateBlock.TRAINING_WORSE, {}, "more held-out training rows are newly wrong than newly right"),
]


@pytest.mark.parametrize(("code", "values", "words"), REASONS)
def test_a_refusal_says_its_weightiest_reason(code: GateBlock, values: dict[str, Any], words: str) -> None:
    block = Coded(code, values)
    assert plain_line(card(), False, (block,), PLAIN) == f"Worse: refused, because {words}."
    more = (block, *[Coded(GateBlock.WORSE)] * 2)
    assert plain_line(card(), False, more, PLAIN) == f"Worse: refused, because {words}, and for 2 more reasons."


def test_each_reason_of_the_gate_has_its_words() -> None:
    assert {code for code, _, _ in REASONS} == set(GateBlock)
    newer = Coded("from_a_newer_release")
    assert plain_line(card(), False, (newer,), PLAIN) == "Worse: refused, because of “from_a_newer_release”."


@pytest.mark.parametrize(
    ("score", "sentence"),
    [
        (
            pooled(12, 8),
            "Of 236 golden examples that count, 12 are newly wrong and 8 newly right. "
            "Two equally good models differ this much in 25 of 100 comparisons.",
        ),
        (
            pooled(1, 7),
            "Of 236 golden examples that count, 1 is newly wrong and 7 newly right. "
            "Two equally good models differ this much in 4 of 100 comparisons.",
        ),
        (pooled(0, 0), "Of 236 golden examples that count, none is newly wrong and none newly right."),
        (
            pooled(0, 9, n=20),
            "Of 20 golden examples that count, 0 are newly wrong and 9 newly right. "
            "Two equally good models differ this much in fewer than 1 of 100 comparisons.",
        ),
    ],
)
def test_counts_are_said_with_what_they_mean(score: PooledScore, sentence: str) -> None:
    assert counts_sentence(score) == sentence


def test_the_report_says_how_many_past_errors_count_and_what_was_left_out() -> None:
    assert what_counts(pooled(1, 1)) == "What counts: 136 random examples and 100 past errors."
    after_a_roll_back = pooled(1, 1, n=137, past_errors=1, other_past_errors=1, near_live=3)
    assert what_counts(after_a_roll_back) == (
        "What counts: 136 random examples and 1 past error. 1 other past error is shown but doesn't count. "
        "3 random examples left out, because the live model was trained on near-duplicates."
    )
    assert what_counts(EMPTY.pooled) == ""
