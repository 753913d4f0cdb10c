"""The learner `external`: what a service outside answers is checked before anything is made of it."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from core.errors import Invalid, ModelUnavailable
from core.learning.data.inputs import Example, Input
from core.learning.learners.artifacts import pack, unpack
from core.learning.learners.base import FloatArray
from core.learning.learners.external import (
    ExternalLearner,
    ExternalModel,
    checked_row,
    checked_table,
    connected,
    is_external,
    unconnected,
)
from core.learning.learners.fingerprints import fingerprint
from core.learning.learners.label_subset import label_subset
from core.learning.learners.registry import find_learner
from tests.people import support_policy

LABELS = ("refund", "delivery")
MODEL = ExternalModel("5f0c", "mine-7", LABELS)
UNUSABLE: list[tuple[Any, str]] = [
    (None, "Prediction 1 is not an object of labels and probabilities"),
    ([0.5, 0.5], "is not an object"),
    ({}, "is not an object"),
    ({"refund": math.nan, "delivery": 1.0}, "gives “refund” nan, which is not a number from 0 to 1"),
    ({"refund": math.inf}, "gives “refund” inf, which is not"),
    ({"refund": -0.1, "delivery": 1.1}, "gives “refund” -0.1, which is not"),
    ({"refund": "0.5", "delivery": 0.5}, "gives “refund” 0.5, which is not a number"),
    ({"refund": True}, "gives “refund” True, which is not a number"),
    ({"refund": 0.5, "parcel": 0.5}, r"has “parcel”, which is none of the labels \(refund, delivery\)"),
    ({"refund": 0.5}, "add up to 0.500, not to 1"),
    ({"refund": 0.9, "delivery": 0.9}, "add up to 1.800, not to 1"),
]


@pytest.mark.parametrize(("answer", "words"), UNUSABLE, ids=[words[:30] for _answer, words in UNUSABLE])
def test_an_answer_that_is_of_no_use_is_refused_with_a_sentence(answer: Any, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        checked_table([answer], LABELS, 1)


def test_as_many_answers_as_inputs_are_needed() -> None:
    row = {"refund": 1.0}
    assert checked_table([row, row], LABELS, 2).tolist() == [[1, 0], [1, 0]]
    with pytest.raises(Invalid, match=r"There are 1 predictions for 2 inputs\."):
        checked_table([row], LABELS, 2)
    with pytest.raises(Invalid, match="is not a list"):
        checked_table({"refund": 1.0}, LABELS, 1)


def test_probabilities_that_were_rounded_are_divided_by_their_sum() -> None:
    assert checked_row({"refund": 0.33, "delivery": 0.66}, LABELS, "It") == [0.33 / 0.99, 0.66 / 0.99]
    nearly = {"refund": 0.3, "delivery": 0.7 + 5e-7}
    assert checked_row(nearly, LABELS, "It") == list(nearly.values()), "within 1e-6 of 1, nothing is changed"


def test_a_model_asks_its_service_for_texts_alone() -> None:
    asked: list[tuple[str, Sequence[str], Sequence[Input]]] = []

    def ask(version: str, labels: Sequence[str], inputs: Sequence[Input]) -> FloatArray:
        asked.append((version, labels, inputs))
        return np.array([[0.9, 0.1]] * len(inputs))

    inputs = [Input("money"), Input(" "), Input("back")]
    model = connected(MODEL, ask)
    assert model.probabilities(inputs).tolist() == [[0.9, 0.1], [0.5, 0.5], [0.9, 0.1]]
    assert asked == [("mine-7", LABELS, [inputs[0], inputs[2]])]
    assert model.probabilities([Input("")]).tolist() == [[0.5, 0.5]], "nothing to ask about"
    assert len(asked) == 1


def test_without_a_connection_there_is_no_answer() -> None:
    with pytest.raises(ModelUnavailable, match="no connection to the service"):
        MODEL.probabilities([Input("money")])
    with pytest.raises(ModelUnavailable, match="no connection to the service"):
        connected(MODEL, unconnected(support_policy().queues[0])).probabilities([Input("money")])


@pytest.mark.slow
def test_its_fingerprint_is_the_snapshot_with_the_version_that_the_service_states() -> None:
    others = [ExternalModel("5f0d", "mine-7", LABELS), ExternalModel("5f0c", "mine-8", LABELS)]
    assert len({fingerprint(one) for one in (MODEL, *others)}) == 3
    stored = unpack(pack(ExternalLearner(), MODEL), ExternalLearner(), fingerprint(MODEL))
    assert stored == MODEL
    assert fingerprint(stored) == fingerprint(MODEL)


def test_it_cannot_be_fitted_here() -> None:
    with pytest.raises(Invalid, match="trains in a service outside"):
        find_learner("external").fit([Example(Input("money"), "refund")], 1, lambda _step: None)


def test_a_model_of_a_service_is_known_also_when_it_is_held_to_some_labels() -> None:
    assert is_external(MODEL)
    assert is_external(label_subset(MODEL, ["refund"]))
    assert not is_external(None)
