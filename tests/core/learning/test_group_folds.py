"""Held-out rows by group: a model that is measured on a patient's picture has learned from none of that patient."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Invalid
from core.learning.data.inputs import Example, ImageRef, Input
from core.learning.learners.base import HeldOut
from core.learning.learners.fitting import held_out_of
from core.learning.learners.out_of_fold import out_of_fold
from core.learning.learners.registry import find_learner
from core.learning.learners.sweep import SweptRow, sweep
from core.learning.learners.temperature import assign_folds, content_folds
from core.learning.lifecycle.learner_comparison import cross_validate
from core.vocabulary import Coded
from tests.core.learning.first_word import FIRST_WORD, FirstWordLearner

GROUPS = ("", "", "", *"abcdefgh")


def unheard(_step: Coded) -> None:
    pass


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(GROUPS), st.booleans()), min_size=1, max_size=40))
def test_no_group_is_split_and_every_label_is_known(rows: list[tuple[int, str, bool]]) -> None:
    targets = np.unique([row[0] for row in rows], return_inverse=True)[1]
    groups, written = [row[1] for row in rows], np.array([row[2] and not row[1] for row in rows])
    keys = np.random.default_rng(len(rows)).integers(0, 2**63, len(rows), dtype=np.uint64)
    by_hash = content_folds(targets, keys, ~written, groups)
    drawn = assign_folds(targets, np.random.default_rng(1), 5, groups)
    assert (by_hash[written] == -1).all(), "what a language model wrote is never held out"
    for folds in (by_hash, drawn):
        for name in {group for group in groups if group}:
            assert len({int(fold) for fold, group in zip(folds, groups, strict=True) if group == name}) == 1
        for fold in range(int(folds.max()) + 1):
            assert set(targets[folds != fold]) == set(targets)


def test_without_groups_the_folds_are_those_of_rows() -> None:
    """The folds decide a model's scale, so models of queues without groups stay the same to the last digit."""
    targets, keys = np.array([0, 0, 0, 1, 1, 2]), np.array([9, 3, 6, 30, 12, 7], dtype=np.uint64)
    assert content_folds(targets, keys, None, [""] * 6).tolist() == [2, 0, 1, 1, 0, -1]
    labels, rng = np.repeat([0, 1, 2], [7, 3, 1]), np.random.default_rng(5)
    expected = np.full(11, -1)
    for rows in (np.arange(7), np.arange(7, 10)):  # each label's rows, drawn, in turn
        expected[rng.permutation(rows)] = np.arange(len(rows)) % 3
    assert assign_folds(labels, np.random.default_rng(5), 3, [""] * 11).tolist() == expected.tolist()


def test_a_group_is_held_out_in_the_same_fold_of_every_training_set() -> None:
    rng = np.random.default_rng(2)
    targets, keys = rng.integers(0, 2, 120), rng.integers(0, 2**63, 120, dtype=np.uint64)
    groups = [f"P-{n // 4}" for n in range(120)]
    folds, some = content_folds(targets, keys, None, groups), slice(0, 80)
    np.testing.assert_array_equal(content_folds(targets[some], keys[some], None, groups[some]), folds[some])
    assert min(np.bincount(folds)) > 20


def test_drawn_folds_hold_about_as_many_rows_of_each_label() -> None:
    targets, groups = np.repeat([0, 1], [60, 30]), [f"P-{n // 3}" for n in range(90)]
    folds = assign_folds(targets, np.random.default_rng(0), 3, groups)
    for label, each in ((0, 20), (1, 10)):
        assert np.abs(np.bincount(folds[targets == label]) - each).max() <= 3


def patients(texts: bool, grouped: bool = True) -> list[Example]:
    """Forty patients with three pictures, or letters, each, which show who it is; the label is drawn by patient. So who
    knows one of a patient's knows the others, and nothing else helps."""
    rng, found = np.random.default_rng(7), []
    for number in range(40):
        label, face = ("ill", "well")[int(rng.integers(2))], rng.integers(0, 256, (64, 64))
        for part in range(3):
            grey = np.clip(face + rng.integers(-9, 9, face.shape), 0, 255).astype(np.uint8).tobytes()
            group = f"P-{number}" if grouped else ""
            text = f"zq{number}zq letter {part}" if texts else ""
            found.append(
                Example(Input(text, None if texts else ImageRef(f"picture:{number}", grey), group=group), label)
            )
    return found


def right(answers: HeldOut | None) -> float:
    return float(np.mean([one for one in answers or () if one is not None]))


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("text", True),
        ("image", False),
        ("embedding", True),
        ("blend", True),
    ],
)
@pytest.mark.slow
def test_calibration_asks_about_patients_that_the_model_has_not_seen(name: str, texts: bool) -> None:
    alone, together = (
        held_out_of(find_learner(name).fit(examples, 1, unheard), examples)
        for examples in (patients(texts, grouped=False), patients(texts))
    )
    assert right(alone) > 0.7
    assert right(together) < 0.6


@pytest.mark.slow
def test_out_of_fold_answers_and_the_sweep_are_by_patient_too() -> None:
    for grouped, low, high in ((False, 0.9, 1.0), (True, 0.0, 0.7)):
        examples = patients(texts=True, grouped=grouped)
        said = cross_validate("text", {}, examples, 1, unheard)
        assert low <= said.right.mean() <= high
        rows = [SweptRow(one, place % 5 == 0, 1.0) for place, one in enumerate(examples)]
        trials = sweep(FirstWordLearner.name, FIRST_WORD, rows, 1, unheard)
        assert low <= max(trial.accuracy for trial in trials) <= high


def test_where_each_label_is_of_one_group_nothing_is_held_out() -> None:
    examples = [Example(Input(f"{label} {n}", group=label), label) for label in ("ill", "well") for n in range(4)]
    assert out_of_fold("text", {}, examples, 1, unheard).places == ()
    with pytest.raises(Invalid, match="No label has two training rows of different groups"):
        cross_validate("text", {}, examples, 1, unheard)
    with pytest.raises(Invalid, match="at least two labels with two training rows each of different groups"):
        sweep("text", {}, [SweptRow(one, False, 1.0) for one in examples], 1, unheard)
    model = find_learner("text").fit(examples, 1, unheard)
    assert held_out_of(model, examples) == (None,) * 8
    assert model.state()["scale"] == 1, "nothing was measured, so all predictions go to people"
