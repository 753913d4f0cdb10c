"""The learner `image`, and near-duplicates among pictures."""

import io

import numpy as np
import pytest
from PIL import Image

from core.errors import Invalid
from core.learning.data.inputs import Example, ImageRef, Input
from core.learning.data.near_duplicates import near
from core.learning.data.picture_similarity import near_pictures
from core.learning.learners.artifacts import pack, unpack
from core.learning.learners.fingerprints import fingerprint
from core.learning.learners.fitting import fit
from core.learning.learners.hog import WIDTH, features_of
from core.learning.learners.image import ImageLearner, ImageModel
from core.learning.learners.registry import find_learner
from core.pictures.decoding import decode
from core.vocabulary import Modality
from tests.pictures import as_file, bars, drawn, noise, seen

LABELS = ("lying", "upright")


def rows(first: int, count: int, label: str) -> list[Example]:
    return [Example(seen(drawn(first + n, label == "upright")), label) for n in range(count)]


@pytest.fixture(scope="module")
def model() -> ImageModel:
    return ImageLearner().fit([*rows(0, 4, "lying"), *rows(100, 16, "upright")], 1, lambda _step: None)


def test_it_tells_apart_what_differs_by_its_edges_alone(model: ImageModel) -> None:
    asked = [one.input for label in LABELS for one in rows(500, 10, label)]
    shares = model.probabilities(asked)
    assert model.classes == LABELS
    assert shares.argmax(axis=1).tolist() == [0] * 10 + [1] * 10, "although one label has a quarter of the rows"
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_allclose(model.probabilities(asked[3:4])[0], shares[3], atol=1e-5)
    assert model.probabilities([]).shape == (0, 2)


def test_what_it_cannot_see_gets_the_same_probability_for_every_label(model: ImageModel) -> None:
    blank = Input(image=ImageRef("picture:blank", bytes([90]) * 4096))
    by_address = Input(image=ImageRef("https://files.example/a.png"))
    np.testing.assert_allclose(model.probabilities([blank, by_address, Input("a text")]), 0.5)
    assert not by_address.has(Modality.IMAGE), "nothing here fetches an address"


def test_it_is_found_by_its_name_fitted_alike_and_stored(model: ImageModel) -> None:
    learner = find_learner("image")
    again = fit(
        learner, [*rows(100, 16, "upright"), *rows(0, 4, "lying"), Example(Input("text"), "lying")], 1, lambda _: None
    )
    assert fingerprint(again) == fingerprint(model), "in any order; a row without a picture takes no part"
    stored = unpack(pack(learner, model), learner, fingerprint(model))
    asked = [seen(drawn(7))]
    np.testing.assert_array_equal(stored.probabilities(asked), model.probabilities(asked))
    with pytest.raises(Invalid, match="not a model of the learner “image”"):
        learner.restore({})


def test_a_single_label_is_refused_and_a_heavy_row_decides() -> None:
    with pytest.raises(Invalid, match="All 3 training rows with a picture have the label “upright”"):
        ImageLearner().fit(rows(0, 3, "upright"), 1, lambda _step: None)
    same = seen(drawn(3))
    others = [*rows(0, 4, "lying"), *rows(100, 4, "upright")]
    for heavy in LABELS:
        disputed = [Example(same, label, 50.0 if label == heavy else 0.5) for label in LABELS]
        fitted = ImageLearner().fit_uncalibrated([*others, *disputed], 1)
        assert fitted.classes[int(fitted.probabilities([same]).argmax())] == heavy


def test_features_do_not_change_with_brightness_and_come_one_row_a_picture() -> None:
    values = np.asarray(bars(1, True).resize((64, 64)), dtype=np.float64)
    darker = (values * 0.5 + 20).round().astype(np.uint8).tobytes()
    bright, dark = features_of([values.astype(np.uint8).tobytes(), darker])
    assert bright.shape == (WIDTH,)
    assert float(bright @ dark / np.linalg.norm(bright) / np.linalg.norm(dark)) > 0.99
    assert not features_of([bytes(4096)]).any()


class TestNearDuplicates:
    def test_a_copy_that_was_saved_again_and_turned_a_little_is_found(self) -> None:
        original = noise(1, size=(6, 6)).resize((256, 256), Image.Resampling.BICUBIC)
        file = io.BytesIO()
        original.rotate(1, fillcolor=128).save(file, "JPEG", quality=70)
        copy, others = decode(file.getvalue()), [drawn(n) for n in range(5)]
        golden = [one.grey for one in (*others, decode(as_file(original)))]
        assert near_pictures([copy.grey], golden).tolist() == [True]
        assert near_pictures([copy.grey], golden[:-1]).tolist() == [False]

    def test_a_blank_picture_is_near_none_and_texts_are_compared_as_before(self) -> None:
        assert near_pictures([bytes(4096)], [bytes(4096), drawn(1).grey]).tolist() == [False]
        assert near_pictures([], [drawn(1).grey]).tolist() == []
        asked = [Input("where is my parcel", seen(drawn(1)).image), seen(drawn(2)), Input("where is it")]
        assert near(asked, [seen(drawn(1))], 0.9).tolist() == [True, False, False]
