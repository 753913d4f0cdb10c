import random
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Invalid
from core.learning.data.inputs import Example, ImageRef, Input
from core.learning.learners import fitting
from core.learning.learners.base import Fitted, FloatArray, Learner, Progress, State
from core.learning.learners.fingerprints import fingerprint
from core.learning.learners.label_subset import NoCommonLabels, label_subset
from core.learning.learners.registry import BUILT_IN, GROUP, find_learner
from core.learning.learners.suspicion import suspicion_of
from core.learning.learners.temperature import SCALES, assign_folds, content_folds, fit_scale
from core.learning.learners.text import TextLearner, TextModel
from core.learning.lifecycle.serving import LiveModel
from core.vocabulary import Coded, RunStep

IMAGE = Input(image=ImageRef("https://files.example/A.png"))
ROOT = Path(__file__).parents[3]
WORDS = {
    "refund": ["refund", "money", "back", "return", "charged", "twice", "please", "pay", "returned", "amount"],
    "delivery": ["parcel", "courier", "late", "arrived", "tracking", "shipment", "door", "address", "driver", "box"],
    "login": ["password", "account", "reset", "locked", "email", "code", "sign", "browser", "access", "username"],
}
OUT_OF_SCOPE = (
    "what is the boiling point of water", "play some jazz in the kitchen", "who won the match on sunday",
    "how do I cook rice", "tell me a joke", "is it going to rain tomorrow", "convert twelve miles to kilometres",
    "when was the bridge built", "translate cheese into italian", "how many moons has jupiter",
)  # fmt: skip


def sentences(label: str, rows: int, seed: int = 0) -> list[Example]:
    rng = random.Random(f"{label} {seed}")
    return [Example(Input(" ".join(rng.sample(WORDS[label], 4))), label) for _ in range(rows)]


def corpus(rows: int = 12, seed: int = 0) -> list[Example]:
    return [example for label in WORDS for example in sentences(label, rows, seed)]


def fit(examples: Sequence[Example], seed: int = 7) -> TextModel:
    model = fitting.fit(TextLearner(), examples, seed, lambda _: None)
    assert isinstance(model, TextModel)
    return model


def inputs(texts: Iterable[str]) -> list[Input]:
    return [Input(text) for text in texts]


def answers(model: Fitted, asked: Sequence[Input]) -> list[str]:
    return [model.classes[column] for column in model.probabilities(asked).argmax(axis=1)]


def test_it_learns_and_says_what_it_is_doing() -> None:
    said: list[Coded] = []
    model = TextLearner().fit(corpus(), 7, said.append)
    unseen = corpus(6, seed=1)
    assert answers(model, [e.input for e in unseen]) == [e.label for e in unseen]
    assert said[0] == Coded(RunStep.CALIBRATING, {"part": 1, "parts": 3})
    assert said[-1] == Coded(RunStep.FITTING, {"rows": 36})


def test_probabilities_have_a_column_per_label_and_sum_to_one() -> None:
    model = fit(corpus())
    shares = model.probabilities(inputs(["refund my money", "", "xyz", "parcel " * 5000]))
    assert model.classes == ("delivery", "login", "refund")
    assert shares.shape == (4, 3)
    assert shares.dtype == np.float64
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert model.probabilities([]).shape == (0, 3)


def test_a_model_may_be_held_to_some_of_its_labels() -> None:
    model = fit(corpus())
    asked = [e.input for e in corpus(2)]
    whole, some = model.probabilities(asked), label_subset(model, ("login", "delivery", "of the future"))
    assert label_subset(model, model.classes) is model
    assert some.classes == tuple(label for label in model.classes if label in ("login", "delivery"))
    kept = whole[:, [model.classes.index(label) for label in some.classes]]
    np.testing.assert_array_equal(some.probabilities(asked), kept, "the share of the others is not passed on")
    assert some.probabilities([]).shape == (0, 2)
    assert some.reads == model.reads
    with pytest.raises(NoCommonLabels, match="none of the policy's current labels"):
        label_subset(model, ("of the future",))


def test_the_suspicion_of_a_text_is_the_order_of_the_margins_between_its_two_best_labels() -> None:
    model = fit(corpus())
    asked = [e.input for e in corpus(6, seed=1)]
    margins = np.sort(model.ngrams.features([one.text for one in asked]) @ model.weights + model.offsets, axis=1)
    shares = model.probabilities(asked)
    found = suspicion_of(model, asked, shares)
    np.testing.assert_allclose(found, np.exp(-model.scale * (margins[:, -1] - margins[:, -2])))
    assert suspicion_of(model, inputs([""]), model.probabilities(inputs([""]))).tolist() == [1.0]
    assert suspicion_of(model, [], model.probabilities([])).shape == (0,)


def test_a_model_held_to_some_labels_is_suspicious_of_what_belongs_to_the_others() -> None:
    """And on the same scale as before where it keeps its answer."""
    model = fit(corpus())
    some = label_subset(model, ("login", "delivery"))
    asked = [e.input for e in corpus(2)]
    whole = model.probabilities(asked)
    lost = whole.argmax(axis=1) == model.classes.index("refund")
    found = suspicion_of(some, asked, some.probabilities(asked))
    assert found[lost].tolist() == [1.0, 1.0]
    np.testing.assert_array_equal(found[~lost], suspicion_of(model, asked, whole)[~lost])


class Vague:
    """Says the same of everything."""

    classes, reads = ("a", "b"), TextModel.reads

    def probabilities(self, inputs: Sequence[Input]) -> FloatArray:
        return np.tile([0.75, 0.25], (len(inputs), 1))

    def state(self) -> State:
        return {}


class Wild(Vague):
    def suspicion(self, inputs: Sequence[Input], probabilities: FloatArray) -> FloatArray:
        return np.array([-2.0, 0.5, 7.0, np.nan])


def test_without_a_suspicion_of_its_own_a_model_is_judged_by_its_highest_probability() -> None:
    asked = inputs("abcd")
    shares = Vague().probabilities(asked)
    assert suspicion_of(Vague(), asked, shares).tolist() == [0.25] * 4
    assert suspicion_of(Wild(), asked, shares).tolist() == [0.0, 0.5, 1.0, 1.0]
    said = LiveModel(1, "v1", Wild()).answers(asked)[1]
    assert (said.label, said.confidence, said.suspicion) == ("a", 0.75, 0.5)


def test_the_same_rows_and_seed_give_the_same_model_in_any_order() -> None:
    rows = corpus()
    shuffled = random.Random(3).sample(rows, len(rows))
    assert fingerprint(fit(rows)) == fingerprint(fit(shuffled))


def test_another_seed_weight_row_or_label_gives_another_fingerprint() -> None:
    rows = corpus()
    variants = [
        fit(rows),
        fit(rows, seed=8),
        fit([replace(rows[0], weight=2), *rows[1:]]),
        fit(rows[1:]),
        fit([replace(e, label="access" if e.label == "login" else e.label) for e in rows]),
    ]
    assert len({fingerprint(model) for model in variants}) == len(variants)


@pytest.mark.parametrize("rows", [1, 2])
def test_a_new_label_with_one_or_two_rows_is_learned(rows: int) -> None:
    model = fit(sentences("refund", 12) + sentences("delivery", 12) + sentences("login", rows))
    assert "login" in model.classes
    assert answers(model, inputs(["password reset account locked email"])) == ["login"]


def test_one_row_per_label_leaves_everything_to_people() -> None:
    model = fit(corpus(1))
    assert model.scale == 1
    assert model.probabilities([e.input for e in corpus(5)]).max() < 0.8


def test_one_label_alone_is_refused_with_a_sentence() -> None:
    with pytest.raises(Invalid, match=r"All 12 training rows with a text have the label “refund”\. At least two"):
        fit(sentences("refund", 12))


def test_no_rows_or_only_empty_ones_are_refused_with_a_sentence() -> None:
    with pytest.raises(Invalid, match="There is nothing to learn from: there are no training rows"):
        fit([])
    with pytest.raises(Invalid, match="The learner “text” reads text, and none of the 2 training rows has any"):
        fit([Example(Input(""), "a"), Example(Input(" \n"), "b")])
    with pytest.raises(Invalid, match="reads text, and none of the 2 training rows has any"):
        fit([Example(IMAGE, "a"), Example(Input(fields={"a": "b"}), "b")])


def test_rows_that_the_learner_cannot_read_are_left_out_and_counted() -> None:
    said: list[Coded] = []
    rows = [*corpus(), Example(IMAGE, "login"), Example(Input("  "), "other")]
    model = fitting.fit(TextLearner(), rows, 7, said.append)
    assert said[0] == Coded(RunStep.ROWS_LEFT_OUT, {"rows": 2, "reads": ["text"]})
    assert said[-1] == Coded(RunStep.FITTING, {"rows": 36})
    assert fingerprint(model) == fingerprint(fit(corpus()))
    np.testing.assert_allclose(model.probabilities([IMAGE]), 1 / 3)


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_a_weight_that_is_not_above_zero_is_refused(weight: float) -> None:
    with pytest.raises(Invalid, match="weights must be above 0"):
        fit([*corpus(), Example(Input("refund"), "refund", weight)])


def test_weights_act_on_the_fit() -> None:
    disputed = [Example(Input("the same words"), label) for label in ("refund", "delivery")]
    for heavy in disputed:
        rows = corpus() + [replace(e, weight=5) if e is heavy else e for e in disputed]
        assert answers(fit(rows), inputs(["the same words"])) == [heavy.label]


def test_weights_act_on_the_calibration() -> None:
    margins = np.array([[2.0, -2.0], [2.0, -2.0], [-1.0, 1.0]])
    right_and_wrong = np.array([0, 0, 0])
    counts = np.array([30, 30])
    even = fit_scale(margins, right_and_wrong, np.array([1.0, 1, 1]), counts)
    errors_heavy = fit_scale(margins, right_and_wrong, np.array([1.0, 1, 5]), counts)
    doubled = fit_scale(margins, right_and_wrong, np.array([2.0, 2, 2]), counts)
    assert errors_heavy < even
    assert doubled == pytest.approx(even, rel=1e-3)


def test_the_scale_solves_a_case_that_can_be_worked_out() -> None:
    # two labels, margins +-1, all right, target 1 - eps: softmax is 1 / (1 + exp(-2s)), so s = ln((1 - eps) / eps) / 2
    margins = np.array([[1.0, -1.0]] * 8)
    scale = fit_scale(margins, np.zeros(8, dtype=np.intp), np.ones(8), np.array([8, 8]))
    assert scale == pytest.approx(np.log(9) / 2, rel=1e-3)  # eps = 1/10


def test_the_scale_is_bounded_where_every_margin_is_right_and_tiny() -> None:
    margins = np.array([[1e-6, -1e-6]] * 8)
    scale = fit_scale(margins, np.zeros(8, dtype=np.intp), np.ones(8), np.array([8, 8]))
    assert scale == pytest.approx(SCALES[1], rel=1e-3)


def test_without_margins_the_scale_is_one() -> None:
    assert fit_scale(np.empty((0, 2)), np.empty(0, dtype=np.intp), np.empty(0), np.array([1, 1])) == 1


@pytest.mark.parametrize("rows", [10, 100])
def test_two_easy_labels_still_send_foreign_texts_to_people(rows: int) -> None:
    model = fit(sentences("refund", rows) + sentences("login", rows))
    assert model.scale < 6
    foreign = model.probabilities(inputs(OUT_OF_SCOPE)).max(axis=1)
    own = model.probabilities([e.input for e in sentences("refund", 20, 1) + sentences("login", 20, 1)]).max(axis=1)
    assert (foreign < 0.8).mean() >= 0.6
    assert (own >= 0.8).mean() >= 0.9


def test_folds_are_even_and_never_leave_a_label_out_of_training() -> None:
    targets = np.array([0] * 7 + [1] * 2 + [2])
    folds = assign_folds(targets, np.random.default_rng(0))
    assert sorted(np.bincount(folds[:7])) == [2, 2, 3]
    assert sorted(folds[7:9]) == [0, 1]
    assert folds[9] == -1
    for fold in range(3):
        assert set(targets[folds != fold]) == {0, 1, 2}


def test_rows_that_two_training_sets_share_are_held_out_together() -> None:
    rng = np.random.default_rng(3)
    targets, keys = rng.integers(0, 4, 200), rng.integers(0, 2**63, 200, dtype=np.uint64)
    folds = content_folds(targets, keys)
    some = np.sort(rng.permutation(200)[:150])
    np.testing.assert_array_equal(content_folds(targets[some], keys[some]), folds[some])
    assert min(np.bincount(folds)) > 40
    for fold in range(3):
        assert set(targets[folds != fold]) == {0, 1, 2, 3}


def test_a_label_is_known_in_every_fold_unless_it_has_one_row() -> None:
    targets, keys = np.array([0, 0, 0, 1, 1, 2]), np.array([9, 3, 6, 30, 12, 7], dtype=np.uint64)
    assert content_folds(targets, keys).tolist() == [2, 0, 1, 1, 0, -1]


def test_text_without_any_known_word_or_letter_pair_is_never_confident() -> None:
    model = fit(sentences("refund", 40) + sentences("login", 2))
    shares = model.probabilities(inputs(["", "  \n ", "退款在哪里", "🦄🦄"]))
    np.testing.assert_allclose(shares, 0.5)


def test_many_labels_and_other_scripts_and_emoji_are_learned() -> None:
    rows = [Example(Input(f"{symbol} {symbol * 2}"), symbol) for symbol in "😀🐝退款中日αβγжщ" for _ in range(3)]
    model = fit(rows)
    assert answers(model, [e.input for e in rows]) == [e.label for e in rows]


def test_emoji_alone_are_learned_although_they_hold_no_words() -> None:
    rows = (("😀😀", "happy"), ("😀", "happy"), ("😡", "angry"), ("😡😡", "angry"))
    model = fit([Example(Input(text), label) for text, label in rows])
    assert answers(model, inputs(["😀", "😡"])) == ["happy", "angry"]


def test_contradicting_duplicates_are_learned_as_undecided() -> None:
    rows = [Example(Input("the same words"), label) for label in ("a", "b") for _ in range(30)]
    np.testing.assert_allclose(fit(rows).probabilities(inputs(["the same words"])), 0.5, atol=0.02)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.builds(Example, st.text(max_size=12).map(Input), st.sampled_from("abcd"), st.floats(0.1, 10)),
        min_size=2,
        max_size=12,
    ),
    st.integers(0, 2**63),
)
def test_any_rows_are_learned_or_refused_with_a_sentence(rows: list[Example], seed: int) -> None:
    try:
        model = fit(rows, seed)
    except Invalid:
        assert len({e.label for e in rows if e.input.text.split()}) < 2
        return
    shares = model.probabilities([e.input for e in rows])
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert SCALES[0] <= model.scale <= SCALES[1]


def test_the_built_in_learner_is_found_by_name() -> None:
    learner: Learner = find_learner("text")
    assert isinstance(learner, TextLearner)


def test_the_built_in_learner_is_found_in_a_checkout_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(ROOT)])
    assert isinstance(find_learner("text"), TextLearner)


def test_an_unknown_learner_is_refused_with_what_is_installed() -> None:
    with pytest.raises(Invalid, match=r"There is no learner “tekst”\. Choose from: .*text") as refused:
        find_learner("tekst")
    assert refused.value.field == "learner"


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, entry: str, code: str) -> None:
    """A package as pip would leave it: a module and the metadata that names its entry point."""
    module = entry.partition(":")[0]
    (folder / f"{module}.py").write_text(code)
    metadata = folder / f"{module}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[goldloop.learners]\n{name} = {entry}\n")
    monkeypatch.syspath_prepend(str(folder))


CONSTANT = """
import numpy as np
class Constant:
    def __init__(self, classes): self.classes = classes
    reads = ("text",)
    def probabilities(self, inputs): return np.full((len(inputs), len(self.classes)), 1 / len(self.classes))
    def state(self): return {"classes": list(self.classes)}
class ConstantLearner:
    name = "constant"
    runtime = "external"
    reads = ("text",)
    trusted_types = ()
    def fit(self, examples, seed, progress): return Constant(tuple(sorted({e.label for e in examples})))
    def restore(self, state): return Constant(tuple(state["classes"]))
"""


def test_a_learner_of_another_package_is_found_and_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "constant", "other_learners:ConstantLearner", CONSTANT)
    model = find_learner("constant").fit(corpus(), 0, lambda _: None)
    np.testing.assert_allclose(model.probabilities(inputs(["x"])), 1 / 3)


def test_what_is_installed_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "constant", "other_learners:ConstantLearner", CONSTANT)
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(ROOT)])  # without what this environment has installed
    with pytest.raises(Invalid, match=r"Choose from: blend, constant, embedding, external, image, text\."):
        find_learner("tekst")


def test_the_product_brings_its_learners() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"][GROUP] == {point.name: point.value for point in BUILT_IN}


def test_a_process_adds_a_learner_by_its_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_learners.py").write_text(CONSTANT)
    monkeypatch.syspath_prepend(str(tmp_path))
    extra = {"constant": "own_learners:ConstantLearner"}
    assert find_learner("constant", extra).name == "constant"
    assert isinstance(find_learner("text", extra), TextLearner)
    with pytest.raises(Invalid, match="There is no learner “constant”"):
        find_learner("constant")
    with pytest.raises(Invalid, match=r"Several packages provide a learner “text”: core.*own_learners"):
        find_learner("text", {"text": "own_learners:ConstantLearner"})
    with pytest.raises(Invalid, match=r"There is no learner “tekst”\. Choose from: blend, constant, "):
        find_learner("tekst", extra)


def test_a_learner_that_cannot_be_imported_is_refused_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "broken", "broken_learner:Learner", "import a_package_that_is_not_there")
    with pytest.raises(Invalid, match=r"“broken” \(broken_learner:Learner\) cannot be loaded: No module named"):
        find_learner("broken")


def test_something_that_is_not_a_learner_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "half", "half_learner:Half", "class Half:\n    name = 'half'\n")
    with pytest.raises(Invalid, match=r"\(half_learner:Half\) lacks runtime, reads, trusted_types, fit, restore\."):
        find_learner("half")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("name = 'other'", "calls itself “other”"),
        ("reads = ()", r"must read some of text, image, fields; it says \(\)"),
        ("reads = ('sound',)", r"must read some of text, image, fields; it says \('sound',\)"),
        ("reads = 'text'", "must read some of text, image, fields; it says 'text'"),
    ],
    ids=["name", "reads nothing", "reads what there is not", "reads letters"],
)
def test_a_learner_that_contradicts_itself_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, change: str, words: str
) -> None:
    module = f"contradiction_{request.node.callspec.indices['change']}"
    code = f"{CONSTANT}\nclass Changed(ConstantLearner):\n    {change}\n"
    install(tmp_path, monkeypatch, "constant", f"{module}:Changed", code)
    with pytest.raises(Invalid, match=words):
        find_learner("constant")


def test_a_model_that_is_none_is_refused_before_it_is_stored() -> None:
    class Careless(TextLearner):
        def fit(self, examples: Sequence[Example], seed: int, progress: Progress) -> Any:
            return object()

    with pytest.raises(Invalid, match="“text” lacks classes, reads, probabilities, state"):
        fitting.fit(Careless(), corpus(), 7, lambda _: None)


def test_two_packages_with_one_name_are_refused_rather_than_one_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "text", "impostor:ConstantLearner", CONSTANT)
    with pytest.raises(Invalid, match=r"Several packages provide a learner “text”: core.*impostor"):
        find_learner("text")


def test_fingerprints_tell_types_shapes_and_bounds_apart() -> None:
    class Stub(TextModel):
        def __init__(self, value: object) -> None:
            self.__dict__["value"] = value

        def state(self) -> dict[str, object]:
            return {"value": self.__dict__["value"]}

    different: list[object] = [
        1, 1.0, "1", b"1", True, None, [1], (1,), {"1": 1}, {1}, [[1], 2], [[1, 2]], ["a", "b"], ["ab"], np.array([1]),
        np.array([1.0]), np.array([[1.0]]), np.array(["a"]), np.array(["a"], dtype=object), 1.001, -1.0, float("inf"),
        np.random.default_rng(0), np.random.default_rng(1), np.sum, int, TextLearner,
    ]  # fmt: skip
    assert len({fingerprint(Stub(value)) for value in different}) == len(different)
    assert fingerprint(Stub(np.array([1.0, -0.0]))) == fingerprint(Stub(np.array([1.0 + 1e-9, 0.0])))
    assert fingerprint(Stub({"b": 1, "a": 2})) == fingerprint(Stub({"a": 2, "b": 1}))
    with Path(__file__).open() as file, pytest.raises(Invalid, match="holds TextIOWrapper has no fingerprint"):
        fingerprint(Stub(file))
