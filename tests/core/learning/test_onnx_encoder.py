"""A sentence encoder as an ONNX model: a tiny one, written here byte by byte, in the real runtime."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from bot.runtime.policy_in_force import require_learners, start_policy
from core.errors import Invalid
from core.learning.data.inputs import Example, Input
from core.learning.learners.artifacts import pack, unpack
from core.learning.learners.fingerprints import fingerprint
from core.learning.learners.onnx_encoder import OnnxEncoder, OnnxFiles, is_installed, onnx_encoder
from core.learning.learners.own_encoder import with_own_encoder
from core.learning.learners.registry import find_learner, learner_names, offers_learner
from core.learning.learners.vectors import cached_vectors, vectors_of
from core.policy import Policy
from core.storage.database import Database
from tests.core.desk import NOW
from tests.people import support_policy

pytestmark = pytest.mark.slow
needs_packages = pytest.mark.skipif(not is_installed(), reason="needs the extra `onnx`: pip install 'goldloop[onnx]'")

WORDS = ("[UNK]", "refund", "money", "back", "parcel", "courier", "late", "where")
MEANING = np.array(  # of each word: payment, delivery, and how much it says
    [[0, 0, 0.1], [1, 0, 0], [0.9, 0, 0.1], [0.8, 0.1, 0], [0, 1, 0], [0.1, 0.9, 0], [0, 0.8, 0.1], [0, 0.6, 0.5]],
    dtype=np.float32,
)


def field(number: int, value: int | bytes) -> bytes:
    """A field of a protobuf message: a number, or bytes with their length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    more = value >> 7
    return bytes([value & 0x7F | 0x80]) + _varint(more) if more else bytes([value])


def tensor(name: str, kind: int, *shape: str) -> bytes:
    """A tensor that goes in or out. kind: 1: float32, 7: int64."""
    dimensions = b"".join(field(1, field(2, one.encode())) for one in shape)
    return field(1, name.encode()) + field(2, field(1, field(1, kind) + field(2, dimensions)))


def model_of(table: np.ndarray) -> bytes:
    """An ONNX model that looks up the vector of each token: (1, tokens) -> (1, tokens, dimensions)."""
    rows = b"".join(field(1, size) for size in table.shape) + field(2, 1) + field(8, b"table")
    rows += field(9, table.astype("<f4").tobytes())
    lookup = field(1, b"table") + field(1, b"input_ids") + field(2, b"tokens") + field(4, b"Gather")
    graph = field(1, lookup) + field(2, b"tiny") + field(5, rows)
    graph += field(11, tensor("input_ids", 7, "texts", "length")) + field(
        11, tensor("attention_mask", 7, "texts", "length")
    )
    graph += field(12, tensor("tokens", 1, "texts", "length", "size"))
    return field(1, 8) + field(7, graph) + field(8, field(1, b"") + field(2, 13))


def tokenizer_of(words: Sequence[str]) -> bytes:
    vocabulary = {word: place for place, word in enumerate(words)}
    return json.dumps(
        {
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
            "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "Whitespace"},
            "post_processor": None, "decoder": None,
            "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"},
        }
    ).encode()  # fmt: skip


def stored(folder: Path, model: bytes, tokenizer: bytes) -> OnnxFiles:
    for name, content in (("model.onnx", model), ("tokenizer.json", tokenizer)):
        (folder / name).write_bytes(content)
    hashes = sha256(model).hexdigest(), sha256(tokenizer).hexdigest()
    return OnnxFiles(str(folder / "model.onnx"), hashes[0], str(folder / "tokenizer.json"), hashes[1])


@pytest.fixture
def files(tmp_path: Path) -> OnnxFiles:
    return stored(tmp_path, model_of(MEANING), tokenizer_of(WORDS))


def policy_on(files: OnnxFiles, learner: str) -> Policy:
    encoder = {
        "model": files.model, "model_sha256": files.model_sha256,
        "tokenizer": files.tokenizer, "tokenizer_sha256": files.tokenizer_sha256,
    }  # fmt: skip
    return support_policy(retraining={"learner": learner}, encoder=encoder)


EXAMPLES = [
    Example(Input(text), label)
    for label, texts in {
        "refund": ("refund", "money back", "my money", "back refund money"),
        "delivery": ("parcel late", "where courier", "the parcel", "courier late"),
    }.items()
    for text in texts
]


def unheard(_step: object) -> None:
    pass


@needs_packages
def test_a_vector_is_the_mean_of_the_tokens_with_length_one(files: OnnxFiles) -> None:
    encoder = OnnxEncoder(files)
    rows = encoder.encode(["Money back", "parcel", "", "\ud800"])
    mean = (MEANING[2] + MEANING[3]) / 2
    np.testing.assert_allclose(rows[0], mean / np.linalg.norm(mean), rtol=1e-6)
    np.testing.assert_allclose(rows[1], MEANING[4], rtol=1e-6)
    np.testing.assert_array_equal(rows[2], 0)
    assert rows.dtype == np.float32
    assert encoder.dimensions == 3
    assert encoder.encode([]).shape == (0, 3)
    np.testing.assert_array_equal(encoder.encode(["parcel"])[0], rows[1])


@needs_packages
def test_a_long_text_is_cut_off_and_a_text_is_encoded_once(files: OnnxFiles) -> None:
    encoder = onnx_encoder(files)
    assert encoder is onnx_encoder(files)
    long = "money " * 300 + "parcel " * 300
    np.testing.assert_allclose(encoder.encode([long])[0], encoder.encode(["money"])[0], rtol=1e-6)
    with cached_vectors():
        first, again = (vectors_of(encoder, ["money", "parcel"]) for _time in range(2))
    np.testing.assert_array_equal(first, again)


@needs_packages
@pytest.mark.parametrize("name", ["embedding-onnx", "blend-onnx"])
def test_a_queue_trains_on_the_encoder_of_its_policy(files: OnnxFiles, name: str) -> None:
    queue = policy_on(files, name).queues[0]
    installed = with_own_encoder(queue)
    assert {"embedding-onnx", "blend-onnx"} < set(learner_names(installed))
    learner = find_learner(name, installed)
    model, again = learner.fit(EXAMPLES, 7, unheard), learner.fit(EXAMPLES[::-1], 7, unheard)
    assert fingerprint(model) == fingerprint(again)
    shares = model.probabilities([Input("refund money"), Input("courier parcel")])
    assert [model.classes[column] for column in shares.argmax(axis=1)] == ["refund", "delivery"]
    restored = unpack(pack(learner, model), learner, fingerprint(model))
    np.testing.assert_array_equal(
        restored.probabilities([Input("late money")]), model.probabilities([Input("late money")])
    )
    assert "onnxruntime" in learner.runtime
    assert "tokenizers" in learner.runtime


@needs_packages
def test_a_model_is_not_opened_with_another_encoder(files: OnnxFiles, tmp_path: Path) -> None:
    learner = find_learner("embedding-onnx", with_own_encoder(policy_on(files, "embedding-onnx").queues[0]))
    state = dict(learner.fit(EXAMPLES, 7, unheard).state())
    (tmp_path / "other").mkdir()
    other = stored(tmp_path / "other", model_of(MEANING[:, ::-1]), tokenizer_of(WORDS))
    changed = find_learner("embedding-onnx", with_own_encoder(policy_on(other, "embedding-onnx").queues[0]))
    with pytest.raises(Invalid, match="This model was fitted on the encoder “onnx "):
        changed.restore(state)


@needs_packages
def test_a_file_that_was_changed_is_refused_where_the_policy_is_put_in_force(files: OnnxFiles) -> None:
    policy = policy_on(files, "blend-onnx")
    require_learners(policy)
    for path in (files.model, files.tokenizer):
        good = Path(path).read_bytes()
        Path(path).write_bytes(good + b"!")
        onnx_encoder.cache_clear()
        with pytest.raises(
            Invalid, match=r"queues\.support\.retraining\.learner: The encoder's file .* has the SHA-256 .* policy says"
        ):
            require_learners(policy)
        Path(path).write_bytes(good)


@needs_packages
def test_files_that_give_no_vectors_are_refused_with_a_sentence(files: OnnxFiles, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"file .*gone\.onnx cannot be read: No such file"):
        OnnxEncoder(replace(files, model=str(tmp_path / "gone.onnx")))
    no_model = stored(tmp_path, b"not a model", tokenizer_of(WORDS))
    with pytest.raises(Invalid, match=r"The sentence encoder .* cannot be used: "):
        OnnxEncoder(no_model)
    with pytest.raises(Invalid, match="cannot be used: "):
        OnnxEncoder(stored(tmp_path, model_of(MEANING), b"{}"))
    with pytest.raises(Invalid, match="cannot be used: it gave no vector of finite numbers"):
        OnnxEncoder(stored(tmp_path, model_of(MEANING * np.float32(np.nan)), tokenizer_of(WORDS)))
    with pytest.raises(Invalid, match="cannot be used: "):  # a token that the model does not know
        OnnxEncoder(stored(tmp_path, model_of(MEANING), tokenizer_of([*(f"word{n}" for n in range(20)), "[UNK]"])))


def test_without_the_packages_the_extra_is_named(
    files: OnnxFiles, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parents[3])])
    for name in [name for name in sys.modules if name.partition(".")[0] in ("onnxruntime", "tokenizers")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(Invalid, match=r"needs onnxruntime and tokenizers\. Run `pip install 'goldloop\[onnx\]'`"):
        OnnxEncoder(files)
    policy = policy_on(files, "embedding-onnx")
    assert not offers_learner("embedding-onnx", with_own_encoder(policy.queues[0]))
    with pytest.raises(Invalid, match=r"“embedding-onnx” is not installed here\. Run `pip install 'goldloop\[onnx\]'`"):
        start_policy(database, policy, "operator", NOW)


def test_without_an_encoder_in_the_policy_there_are_no_such_learners() -> None:
    assert with_own_encoder(support_policy().queues[0]) == {}
    with pytest.raises(Invalid, match="There is no learner “blend-onnx”"):
        find_learner("blend-onnx")
