"""Learners compared on training rows: what is measured, and which one is recommended."""

import numpy as np
import pytest

from core.learning.lifecycle.learner_comparison import CrossValidated, compare_learners, recommended

ROWS = 200


def said(learner: str, right: int, of: int = ROWS, first: int = 0) -> CrossValidated:
    """The first `right` of the rows are right; the later a row, the less certain."""
    places = tuple(range(first, first + of))
    return CrossValidated(learner, places, np.arange(of) < right, np.linspace(0.99, 0.4, of), 1.0, 100.0)


def test_another_learner_is_taken_only_where_chance_does_not_explain_its_gain() -> None:
    clearly, hardly = (
        compare_learners([said("text", 150), said("blend", right)], [1.0] * ROWS) for right in (170, 151)
    )
    assert recommended(clearly).learner == "blend"
    assert clearly[1].gain is not None
    assert clearly[1].gain.estimate == pytest.approx(0.1)
    assert recommended(hardly).learner == "text"


def test_the_best_of_several_better_ones_is_taken_and_the_best_of_all_without_text() -> None:
    several = compare_learners([said("embedding", 170), said("text", 150), said("blend", 180)], [1.0] * ROWS)
    assert recommended(several).learner == "blend"
    assert recommended(compare_learners([said("a", 150), said("b", 151)], [1.0] * ROWS)).learner == "b"


def test_a_gain_on_the_rows_of_few_patients_is_less_sure() -> None:
    tried = [said("text", 150), said("blend", 170)]
    assert recommended(compare_learners(tried, [1.0] * ROWS, [""] * ROWS)).learner == "blend"
    groups = [f"P-{place // 25}" for place in range(ROWS)]
    assert recommended(compare_learners(tried, [1.0] * ROWS, groups)).learner == "text"


def test_rows_count_by_their_share_of_the_traffic() -> None:
    shares = [3.0] * 100 + [1.0] * 100
    [one] = compare_learners([said("text", 100)], shares)
    assert one.accuracy == pytest.approx(0.75)
    assert one.caught == pytest.approx(0.8), "the last 80 rows, a fifth of the traffic, are errors"


def test_a_learner_without_errors_catches_them_all() -> None:
    [one] = compare_learners([said("text", ROWS)], [1.0] * ROWS)
    assert one.caught == 1


def test_a_gain_is_measured_on_rows_that_both_answered() -> None:
    [_, other] = compare_learners([said("text", 100), said("fields", 100, of=100, first=100)], [1.0] * ROWS)
    assert other.gain is not None
    assert other.gain.estimate == 1, "the last 100 rows, which the learner of texts has wrong"
