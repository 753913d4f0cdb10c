import hashlib
import io
import pickle
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from skops.io import dumps, loads

from core.errors import Invalid
from core.learning.data.inputs import Example, Input
from core.learning.learners.artifacts import MOST_BYTES, MOST_SCHEMA_BYTES, OtherRuntime, Packed, pack, unpack
from core.learning.learners.base import State
from core.learning.learners.fingerprints import fingerprint
from core.learning.learners.plain_states import NotPlain, read_plain
from core.learning.learners.text import TextLearner, TextModel
from core.learning.learners.zeros import with_zeros, without_zeros
from core.vocabulary import Modality

INPUTS = [Input(text) for text in ("money back please", "where is my parcel", "", "🦄")]


@pytest.fixture(scope="module")
def model() -> TextModel:
    rows = [Example(Input(f"refund money {n}"), "refund") for n in range(5)]
    rows += [Example(Input(f"parcel is late {n}"), "délivery") for n in range(5)]
    return TextLearner().fit(rows, 1, lambda _: None)


@pytest.fixture(scope="module")
def packed(model: TextModel) -> Packed:
    return pack(TextLearner(), model)


def rehashed(content: bytes) -> Packed:
    return Packed(content, hashlib.sha256(content).hexdigest(), TextLearner.runtime)


def test_a_model_comes_back_the_same(model: TextModel, packed: Packed) -> None:
    again = unpack(packed, TextLearner())
    assert again.classes == model.classes
    np.testing.assert_array_equal(again.probabilities(INPUTS), model.probabilities(INPUTS))
    assert fingerprint(again) == fingerprint(model)


def test_packing_again_keeps_the_fingerprint(model: TextModel, packed: Packed) -> None:
    again = unpack(pack(TextLearner(), unpack(packed, TextLearner())), TextLearner())
    assert fingerprint(again) == fingerprint(model)


def test_the_content_is_a_zip_of_stored_arrays_with_its_hash_and_runtime(packed: Packed) -> None:
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
    assert packed.sha256 == hashlib.sha256(packed.content).hexdigest()
    assert packed.runtime == f"scikit-learn {version('scikit-learn')}"


@pytest.mark.slow
def test_a_model_of_a_plain_state_is_read_without_scikit_learn_and_as_skops_reads_it(
    model: TextModel, packed: Packed, tmp_path: Path
) -> None:
    (tmp_path / "model.skops").write_bytes(packed.content)
    found = "\n".join((
        "import hashlib, pathlib, sys",
        "from core.learning.learners.artifacts import Packed, unpack",
        "from core.learning.learners.fingerprints import fingerprint",
        "from core.learning.learners.text import TextLearner",
        f"content = pathlib.Path({str(tmp_path / 'model.skops')!r}).read_bytes()",
        "packed = Packed(content, hashlib.sha256(content).hexdigest(), TextLearner.runtime)",
        "print(fingerprint(unpack(packed, TextLearner())), *{'sklearn', 'skops'} & set(sys.modules))",
    ))  # fmt: skip
    told = subprocess.run([sys.executable, "-c", found], capture_output=True, text=True, check=True).stdout.split()
    by_skops = TextLearner().restore(with_zeros(loads(packed.content)["state"], MOST_BYTES))
    assert told == [fingerprint(by_skops)] == [fingerprint(model)]


@pytest.mark.parametrize(
    "value", [{1: "a"}, {"a": 1, 2: "b"}, ("a", 1), np.float64(1), np.array(["a", 1], dtype=object)], ids=repr
)
def test_what_is_not_plain_is_left_to_skops(value: object) -> None:
    with zipfile.ZipFile(io.BytesIO(dumps({"state": [value]}))) as archive, pytest.raises(NotPlain):
        read_plain(archive)


@pytest.mark.parametrize(
    "value", [{"a": [1, 2.5, None, True, "ü"]}, [], {}, "", np.arange(6.0).reshape(2, 3)], ids=repr
)
def test_what_is_plain_comes_back_as_by_skops(value: object) -> None:
    content = dumps(value)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        np.testing.assert_equal(read_plain(archive), loads(content))


def test_a_changed_byte_is_refused(packed: Packed) -> None:
    changed = bytearray(packed.content)
    changed[len(changed) // 2] ^= 1
    with pytest.raises(Invalid, match=r"has changed since it was saved.*Retrain with `goldloop retrain`"):
        unpack(replace(packed, content=bytes(changed)), TextLearner())


def test_another_version_of_scikit_learn_is_refused(packed: Packed) -> None:
    words = rf"made with scikit-learn 0\.1, but {TextLearner.runtime} is installed. Retrain with"
    with pytest.raises(OtherRuntime, match=words):
        unpack(replace(packed, runtime="scikit-learn 0.1"), TextLearner())


def test_the_runtime_is_the_learners_own() -> None:
    learner = ThresholdLearner()
    stored = pack(learner, learner.fit([], 0, print))
    assert stored.runtime == "external"
    with pytest.raises(OtherRuntime, match=r"made with external, but thresholds 2\.0 is installed"):
        unpack(stored, Upgraded())


@pytest.mark.parametrize("keep", [0, 10, 400, -30])
def test_damaged_bytes_are_refused_although_their_hash_fits(packed: Packed, keep: int) -> None:
    with pytest.raises(Invalid, match=r"damaged .*Retrain with"):
        unpack(rehashed(packed.content[:keep]), TextLearner())


def bomb(size: int, name: str = "zeros.npy") -> bytes:
    """An archive of a few kilobytes that unpacks to `size` bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open(name, "w", force_zip64=True) as entry:
            for start in range(0, size, 2**20):
                entry.write(bytes(min(2**20, size - start)))
        archive.writestr("schema.json" if name != "schema.json" else "more.json", "{}")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "most"),
    [("zeros.npy", 20_000_000), pytest.param("schema.json", MOST_SCHEMA_BYTES, marks=pytest.mark.slow)],
)
def test_an_archive_that_unpacks_beyond_the_bound_is_refused_before_it_is_read(
    packed: Packed, name: str, most: int
) -> None:
    unpack(packed, TextLearner())  # with the imports that the first one makes
    content = bomb(most + 1, name)
    assert len(content) < most / 500
    tracemalloc.start()
    with pytest.raises(Invalid, match=rf"unpacks to {most // 1000:,},\d\d\d bytes; the limit is {most:,}\."):
        unpack(rehashed(content), TextLearner(), most_bytes=MOST_BYTES if name == "schema.json" else most)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


def test_a_model_that_is_too_large_with_its_zeros_is_refused() -> None:
    content = dumps({"learner": "text", "state": without_zeros({"weights": np.zeros((1_000, 1_000))})})
    with pytest.raises(Invalid, match=r"arrays unpack to over 500,000 bytes\. Retrain on fewer examples\."):
        unpack(rehashed(content), TextLearner(), most_bytes=500_000)


def test_a_model_whose_parameters_are_not_the_fingerprinted_ones_is_refused(model: TextModel, packed: Packed) -> None:
    assert unpack(packed, TextLearner(), fingerprint(model)).classes == model.classes
    other = TextLearner().fit([Example(Input(f"{label} {n}"), label) for label in "ab" for n in range(5)], 1, print)
    swapped = pack(TextLearner(), other)  # with a hash that fits
    with pytest.raises(Invalid, match=r"has other parameters .* Retrain with"):
        unpack(swapped, TextLearner(), fingerprint(model))


def test_an_archive_of_something_else_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(Invalid, match="damaged"):
        unpack(rehashed(buffer.getvalue()), TextLearner())


def test_a_pickle_is_refused_and_not_run() -> None:
    with pytest.raises(Invalid, match="damaged"):
        unpack(rehashed(pickle.dumps(Tripwire())), TextLearner())


class Tripwire:
    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("a pickle was run",)


@dataclass
class Threshold:
    value: float


@dataclass
class ThresholdModel:
    classes: tuple[str, ...]
    threshold: Threshold
    reads = (Modality.TEXT,)

    def probabilities(self, inputs: Sequence[Input]) -> NDArray[np.float64]:
        return np.full((len(inputs), 2), 0.5)

    def state(self) -> State:
        return {"classes": list(self.classes), "threshold": self.threshold, "estimator": LogisticRegression(C=3)}


class ThresholdLearner:
    name = "threshold"
    runtime = "external"
    reads = (Modality.TEXT,)
    trusted_types: tuple[str, ...] = (f"{Threshold.__module__}.Threshold",)

    def fit(self, examples: Any, seed: int, progress: Any) -> ThresholdModel:
        return ThresholdModel(("a", "b"), Threshold(0.25))

    def restore(self, state: State) -> ThresholdModel:
        return ThresholdModel(tuple(state["classes"]), state["threshold"])


class Upgraded(ThresholdLearner):
    runtime = "thresholds 2.0"


class Suspicious(ThresholdLearner):
    trusted_types = ()


def test_types_that_the_learner_names_come_back_from_a_deflated_zip() -> None:
    learner = ThresholdLearner()
    model = learner.fit([], 0, print)
    with zipfile.ZipFile(io.BytesIO(pack(learner, model).content)) as archive:
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_DEFLATED}
    again = unpack(pack(learner, model), learner)
    assert isinstance(again, ThresholdModel)
    assert again.threshold == Threshold(0.25)
    assert fingerprint(again) == fingerprint(model)


def test_a_type_that_the_learner_does_not_name_is_not_opened() -> None:
    stored = pack(ThresholdLearner(), ThresholdLearner().fit([], 0, print))
    with pytest.raises(Invalid, match=r"“threshold” does not list, so it was not loaded.*Threshold.*Retrain with"):
        unpack(stored, Suspicious())


def test_a_model_that_could_never_be_read_again_is_not_packed() -> None:
    with pytest.raises(Invalid, match=r"stores types that trusted_types does not list: .*Threshold"):
        pack(Suspicious(), ThresholdLearner().fit([], 0, print))


def test_the_model_of_another_learner_is_refused(packed: Packed) -> None:
    class Alike(ThresholdLearner):
        runtime = TextLearner.runtime

    with pytest.raises(Invalid, match="was not made by the learner “threshold”"):
        unpack(packed, Alike())


def test_a_state_that_is_none_of_ours_is_refused() -> None:
    class Renamed(ThresholdLearner):
        name = "text"
        runtime = TextLearner.runtime

    with pytest.raises(Invalid, match="not a model of the learner “text”"):
        unpack(pack(Renamed(), Renamed().fit([], 0, print)), type("T", (TextLearner,), {
            "trusted_types": ThresholdLearner.trusted_types})())  # fmt: skip
