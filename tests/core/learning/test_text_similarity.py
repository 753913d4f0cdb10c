import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.learning.data import text_similarity
from core.learning.data.text_similarity import near_texts

GOLDEN = ["I was charged twice for my order, please refund one of them", "Where is my parcel?"]


def test_equal_texts_count_whatever_their_case_width_and_spaces() -> None:
    assert near_texts(["  where IS my\nparcel? ", "Ｗhere is my parcel?"], GOLDEN, 1.0).tolist() == [True, True]


def test_a_typo_in_a_long_text_is_near_and_another_complaint_is_not() -> None:
    typo = "I was charged twice for my order, please refund one of thm"
    other = "I was charged a fee for my order, please explain it to me"
    assert near_texts([typo, other], GOLDEN, 0.92).tolist() == [True, False]


def test_word_order_does_not_count() -> None:
    assert near_texts(["my parcel? Where is"], GOLDEN, 1.0).tolist() == [True]


def test_a_lower_threshold_finds_more() -> None:
    texts = ["Where is my package?", "Where is my parcel now?", "Cancel it"]
    found = [near_texts(texts, GOLDEN, threshold).sum() for threshold in (0.95, 0.7, 0.5)]
    assert found == [0, 1, 2]


def test_an_empty_text_is_near_an_empty_one_only() -> None:
    assert near_texts(["", "x"], ["Where is my parcel?"], 0.5).tolist() == [False, False]
    assert near_texts(["", "  ", "x"], [""], 0.5).tolist() == [True, True, False]


def test_no_texts_or_no_golden_texts_give_no_neighbours() -> None:
    assert near_texts([], GOLDEN, 0.9).shape == (0,)
    assert near_texts(["x"], [], 0.9).tolist() == [False]
    assert near_texts([], [], 0.9).dtype == np.bool_


def test_the_answer_does_not_depend_on_how_it_is_cut_into_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(0)
    texts = [" ".join(rng.choices(["my", "parcel", "is", "late", "where", "refund"], k=4)) for _ in range(50)]
    whole = near_texts(texts, texts[:7], 0.8)
    monkeypatch.setattr(text_similarity, "CELLS", 20)
    assert 7 < whole.sum() < 50
    np.testing.assert_array_equal(near_texts(texts, texts[:7], 0.8), whole)


words = st.text("abc ", max_size=12)


@pytest.mark.slow
@settings(max_examples=50)
@given(st.lists(words, max_size=6), st.lists(words, max_size=6), words, words, st.floats(0.5, 1))
def test_other_texts_never_change_whether_two_are_near(
    texts: list[str], golden: list[str], text: str, example: str, threshold: float
) -> None:
    alone = bool(near_texts([text], [example], threshold)[0])
    assert near_texts([text, *texts], [example], threshold)[0] == alone
    assert near_texts([text], [example, *golden], threshold)[0] >= alone
    assert near_texts([example], [text], threshold)[0] == alone


@settings(max_examples=50)
@given(st.lists(st.text("abcdefgh", min_size=1, max_size=9), min_size=2, max_size=9), st.randoms(use_true_random=False))
def test_the_same_words_in_another_order_reach_a_threshold_of_one(some: list[str], rng: random.Random) -> None:
    assert near_texts([" ".join(rng.sample(some, len(some)))], [" ".join(some)], 1.0).all()


@pytest.mark.slow
@settings(max_examples=50)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=6))
def test_every_text_is_near_itself(texts: list[str]) -> None:
    assert near_texts(texts, texts, 1.0).all()
