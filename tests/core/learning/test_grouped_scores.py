"""Tests and intervals where inputs belong to groups, such as a patient's pictures."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.wording.format import PLAIN
from bot.wording.report import counted_by_group, two_labels
from core.learning.data.inputs import Input
from core.learning.evaluation.compare import GoldenRow, Predicted, compare
from core.learning.evaluation.groups import design_effect, grouped_p_value
from core.learning.evaluation.intervals import difference
from core.learning.evaluation.paired_tests import mcnemar_p_value
from core.learning.evaluation.scorecard import Scorecard
from core.policy import LabelPolicy
from core.vocabulary import Stratum
from tests.core.learning.test_evaluation import POLICY

CHANGES = st.lists(st.integers(-1, 1), min_size=1, max_size=12)


@given(CHANGES)
def test_groups_of_one_give_mcnemars_test(changes: list[int]) -> None:
    alone = [str(place) for place in range(len(changes))]
    expected = mcnemar_p_value(changes.count(-1), changes.count(1))
    assert grouped_p_value(changes, alone) == pytest.approx(expected)
    assert grouped_p_value(changes, [""] * len(changes)) == expected
    assert design_effect(changes, alone) == 1


@given(CHANGES, st.data())
def test_the_signs_of_the_groups_are_all_counted(changes: list[int], data: st.DataObject) -> None:
    groups = data.draw(st.lists(st.sampled_from("abc"), min_size=len(changes), max_size=len(changes)))
    pairs = list(zip(changes, groups, strict=True))
    sums = [sum(one for one, group in pairs if group == name) for name in "abc"]
    every = [
        sum(sign * one for sign, one in zip(signs, sums, strict=True)) for signs in itertools.product((1, -1), repeat=3)
    ]
    expected = np.mean([total <= sum(sums) for total in every])
    assert grouped_p_value(changes, groups) == pytest.approx(expected)


def test_a_patient_with_many_pictures_proves_no_more_than_one_with_one() -> None:
    """Ten newly wrong pictures of one patient are one coin that fell on one side."""
    assert mcnemar_p_value(10, 0) < 0.001
    assert grouped_p_value([-1] * 10, ["P-1"] * 10) == 0.5
    assert grouped_p_value([-1] * 10, ["P-1"] * 5 + ["P-2"] * 5) == 0.25


def test_inputs_that_all_agree_within_groups_are_worth_one_each() -> None:
    groups = [f"P-{place // 4}" for place in range(80)]
    same = [float(place // 4 % 2) for place in range(80)]
    assert design_effect(same, groups) == pytest.approx(4, rel=0.1)
    assert design_effect([1.0] * 80, groups) == 4
    mixed = [float(place % 2) for place in range(80)]
    assert design_effect(mixed, groups) == 1


def test_equally_good_models_are_refused_as_seldom_as_promised() -> None:
    """Models that differ on whole groups; the test on single inputs is fooled."""
    rng = np.random.default_rng(5)
    groups = [f"P-{place // 8}" for place in range(480)]
    alone = together = covered = 0
    for _ in range(300):
        changes = np.repeat(rng.choice([-1, 0, 1], size=60, p=[0.1, 0.8, 0.1]), 8).tolist()
        down, up, design = changes.count(-1), changes.count(1), design_effect(changes, groups)
        alone += mcnemar_p_value(down, up) <= 0.05
        together += grouped_p_value(changes, groups) <= 0.05
        found = difference(down / design, up / design, 480 / design)
        covered += found.low <= 0 <= found.high
    assert together / 300 <= 0.07
    assert alone / 300 > 0.2
    assert covered / 300 >= 0.93


def scored(groups: list[str]) -> Scorecard:
    """Two thirds of forty examples answered by both, eight newly wrong."""
    golden = [
        GoldenRow(n + 1, Input(f"text {n}", group=group), "login", Stratum.RANDOM) for n, group in enumerate(groups)
    ]
    candidate = ["refund" if n % 5 == 0 else "login" for n in range(40)]
    return compare(golden, Predicted(("login",) * 40), Predicted(tuple(candidate)), POLICY)


def test_with_two_labels_the_report_gives_sensitivity_and_specificity_with_intervals() -> None:
    answers = [("sick", "sick", "sick")] * 18 + [("sick", "sick", "well")] * 2 + [("well", "sick", "well")] * 20
    golden = [GoldenRow(n, Input(f"{n}"), one[0], Stratum.RANDOM) for n, one in enumerate(answers)]
    live, candidate = (Predicted(tuple(one[place] for one in answers)) for place in (1, 2))
    two = POLICY.model_copy(update={"labels": (LabelPolicy(name="sick"), LabelPolicy(name="well"))})
    assert two_labels(compare(golden, live, candidate, two), PLAIN) == [
        "“sick” (20): 100.0% (84%–100%) → 90.0% (70%–97%)",
        "“well” (20): 0.0% (0%–16%) → 100.0% (84%–100%)",
    ]
    assert two_labels(scored([""] * 40), PLAIN) == []


def test_the_report_counts_patients_and_says_so() -> None:
    plain, patients = scored([""] * 40), scored([f"P-{n % 5}" for n in range(40)])
    assert plain.random.groups is None
    assert counted_by_group(plain.random) == ""
    assert patients.random.groups == 5
    assert counted_by_group(patients.random) == (
        "The random examples come from 5 groups: intervals and tests count groups, not inputs."
    )
    assert plain.random.p_value < 0.05 < patients.random.p_value == 0.5
    assert plain.pooled.p_value < 0.05 < patients.pooled.p_value
    assert patients.random.candidate.estimate == plain.random.candidate.estimate
    assert patients.random.candidate.low < plain.random.candidate.low - 0.1
    assert patients.random.ci_lower < plain.random.ci_lower - 0.1
    assert Scorecard.from_dict(patients.as_dict()) == patients
