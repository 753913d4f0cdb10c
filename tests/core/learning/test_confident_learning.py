"""Confident learning: labels that contradict models fitted without them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.learning.evaluation.confident_learning import Doubt, doubtful_labels

CLASSES = 4


def noisy(seed: int, rows: int = 400) -> tuple[list[int], np.ndarray]:
    """Labels of which 5 % are wrong, and probabilities of a fairly good model."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, CLASSES, rows)
    logits = rng.normal(0, 1, (rows, CLASSES))
    logits[np.arange(rows), truth] += 2.5
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    wrong = rng.random(rows) < 0.05
    given_labels = np.where(wrong, (truth + rng.integers(1, CLASSES, rows)) % CLASSES, truth)
    return [int(label) for label in given_labels], shares


def test_a_worked_example() -> None:
    """Thresholds: label 0 has (.9 + .8 + .1) / 3 = .6, label 1 (.7 + .6) / 2 = .65."""
    shares = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7], [0.4, 0.6]])
    assert doubtful_labels([0, 0, 0, 1, 1], shares) == [Doubt(2, 1, 0.9 - 0.1)]


def test_no_rows_have_no_doubts() -> None:
    assert doubtful_labels([], np.zeros((0, 3))) == []


def test_a_label_that_no_row_is_given_is_never_suggested() -> None:
    shares = np.array([[0.2, 0.1, 0.7], [0.1, 0.2, 0.7]])
    assert all(doubt.suggested != 2 for doubt in doubtful_labels([0, 1], shares))


@given(st.integers(0, 10_000))
def test_the_order_of_the_rows_does_not_matter_and_margins_fall(seed: int) -> None:
    labels, shares = noisy(seed, rows=40)
    order = np.random.default_rng(seed).permutation(len(labels))
    found = doubtful_labels(labels, shares)
    moved = doubtful_labels([labels[place] for place in order], shares[order])
    assert {one.place for one in found} == {int(order[one.place]) for one in moved}
    margins = [one.margin for one in found]
    assert margins == sorted(margins, reverse=True)
    assert all(0 < one.margin <= 1 and one.suggested != labels[one.place] for one in found)


@pytest.mark.parametrize("seed", range(5))
def test_cleanlab_doubts_the_same_labels(seed: int) -> None:
    """It takes the most probable label of all where several thresholds are reached, we the most probable of these."""
    reason = "install cleanlab to compare with it: pip install cleanlab"
    filters = pytest.importorskip("cleanlab.filter", reason=reason, exc_type=ImportError)
    labels, shares = noisy(seed)
    theirs = filters.find_label_issues(
        labels=np.array(labels), pred_probs=shares, filter_by="confident_learning", n_jobs=1
    )
    ours = {one.place for one in doubtful_labels(labels, shares)}
    assert len(ours) >= 5
    assert ours <= set(np.flatnonzero(theirs))
    thresholds = [shares[np.array(labels) == label, label].mean() for label in range(CLASSES)]
    for place in set(np.flatnonzero(theirs)) - ours:
        assert shares[place].max() < thresholds[shares[place].argmax()]
