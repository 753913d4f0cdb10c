"""Inputs: what makes two of them one, what they have, and which are near-duplicates."""

import numpy as np
import pytest

from core.learning.data.inputs import ImageRef, Input
from core.learning.data.near_duplicates import near
from core.text.content_hash import content_hash
from core.vocabulary import Modality

TEXT, IMAGE, FIELDS = Modality.TEXT, Modality.IMAGE, Modality.FIELDS
CAT, DOG = ImageRef("https://files.example/cat.png"), ImageRef("https://files.example/dog.png")
SCAN = ImageRef(f"picture:{'a' * 64}", bytes(4096))
WORDS = "I was charged twice for my order, please refund one of them"
TYPO = "I was charged twice for my order, please refund one of thm"


def test_text_and_image_make_the_content_and_fields_do_not() -> None:
    whole = Input("money back", CAT, {"Ticket": "#7"})
    assert whole.content_hash == content_hash("money back", CAT.url)
    assert Input(" Money  BACK", CAT, {"Ticket": "#8"}).content_hash == whole.content_hash
    assert len({Input("money back").content_hash, Input(image=CAT).content_hash, whole.content_hash}) == 3
    assert len({whole, Input("money back", CAT, {"Ticket": "#8"})}) == 2, "though they are not equal"


def test_an_input_comes_back_from_its_columns() -> None:
    for one in (Input("a", CAT, {"b": "c"}), Input("a"), Input(image=DOG)):
        assert Input.of(one.text, one.image_url, one.fields) == one
    assert Input.of("a", "", {}).image is None


@pytest.mark.parametrize(
    ("one", "having"),
    [
        (Input(), ()),
        (Input(" \n", None, {"a": " "}), ()),
        (Input("a"), (TEXT,)),
        (Input(image=CAT), ()),
        (Input(image=SCAN), (IMAGE,)),
        (Input(fields={"a": "b"}), (FIELDS,)),
        (Input("a", SCAN, {"a": "b"}), (TEXT, IMAGE, FIELDS)),
    ],
)
def test_what_an_input_has(one: Input, having: tuple[Modality, ...]) -> None:
    assert tuple(modality for modality in Modality if one.has(modality)) == having
    assert one.has_any(tuple(Modality)) == bool(having)
    assert not one.has_any(())


def test_near_by_text_whatever_the_image_and_never_for_lacking_a_text() -> None:
    golden = [Input(WORDS, CAT), Input(image=DOG)]
    asked = [Input(TYPO), Input(TYPO, DOG), Input("where is it", CAT), Input(image=CAT), Input("  "), Input()]
    assert near(asked, golden, 0.92).tolist() == [True, True, False, False, False, False]


def test_fields_that_are_equal_make_nothing_near() -> None:
    assert not near([Input("a", None, {"n": "1"})], [Input("b", None, {"n": "1"})], 0.5).any()


def test_without_inputs_or_golden_ones_nothing_is_near() -> None:
    assert near([], [Input("a")], 0.9).shape == (0,)
    assert near([Input("a")], [], 0.9).tolist() == [False]
    assert near([], [], 0.9).dtype == np.bool_


def test_inputs_of_one_group_are_near_each_other() -> None:
    golden = [Input("where is my parcel", group="P-1"), Input("money back")]
    asked = [Input("another matter", group="P-1"), Input("another matter", group="P-2"), Input("another matter")]
    assert near(asked, golden, 0.9).tolist() == [True, False, False]
