"""The n-grams of the text learner beside scikit-learn's own vectorizers."""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from core.learning.learners import ngram_tables
from core.learning.learners.ngrams import CHARACTERS, MAX_FEATURES, WORDS, Ngrams, fit_ngrams, restore_ngrams
from core.learning.learners.trie import build_trie

ODD = (
    "", " ", " \t\r\n ", "a", "ab", "A b", "İstanbul", "ΣΑΣ ΑΣ", "ς σας", "x\x85y", "x\u2028y", "x\x1cy", "x\u3000y",
    "退款在哪里", "東京 京都", "🦄", "🦄🦄 🦄", "👩‍👩‍👧 é e\u0301", "\ud800 lone", "nul\x00nul", "\ufeffbom", "ﬁn ﬀ",
    "ß SS ẞ", "a\nb\n\nc", "don't e-mail me", "_under_ score_", "١٢٣ 123", "word " * 50, "aaaaaaaaaaaa", "ab ab ab",
    "  a  b  ",
)  # fmt: skip
ALPHABET = "aabbcde  \n\tABSΣςσİı_-'.1٣中京🦄é\u0301\x1c\x85\u2028\u00a0\ud800\x00ßﬁ"
TEXTS = st.lists(st.text(st.sampled_from(ALPHABET) | st.characters(), max_size=25), min_size=1, max_size=12)


def reference(training: Sequence[str], texts: Sequence[str]) -> csr_matrix:
    """As scikit-learn alone has it."""
    parts = []
    for analyzer, shortest, longest in (WORDS, CHARACTERS):
        kind = TfidfVectorizer(
            analyzer=analyzer, ngram_range=(shortest, longest), max_features=MAX_FEATURES, dtype=np.float32
        )
        if any(map(kind.build_analyzer(), training)):
            parts.append(kind.fit(training).transform(texts))
    return hstack(parts, format="csr")


def assert_same(found: csr_matrix, expected: csr_matrix) -> None:
    expected.sort_indices()
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype == np.float32
    np.testing.assert_array_equal(found.indptr, expected.indptr)
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_allclose(found.data, expected.data, rtol=1e-6)


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(TEXTS, TEXTS)
def test_any_training_texts_give_the_matrix_of_scikit_learn(training: list[str], others: list[str]) -> None:
    assume(any(text.split() for text in training))
    ngrams = fit_ngrams(training)
    assert ngrams.tables
    assert_same(ngrams.features([*training, *others]), reference(training, [*training, *others]))


def test_odd_texts_give_the_matrix_of_scikit_learn() -> None:
    for training in (ODD, ODD[:12], ("🦄", "🦄🦄"), ("ab",), ("a",)):
        ngrams = fit_ngrams(training)
        assert ngrams.tables
        expected = reference(training, ODD)
        assert_same(ngrams.features(ODD), expected)
        for place, text in enumerate(ODD):
            assert_same(ngrams.features([text]), expected[[place]])


def test_many_texts_are_looked_up_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(0)
    texts = [" ".join(draw.choices(ODD, k=draw.randrange(4))) for _ in range(200)]
    ngrams = fit_ngrams(texts)
    whole = ngrams.features(texts)
    monkeypatch.setattr(ngram_tables, "BLOCK", 50)
    assert_same(ngrams.features(texts), whole)
    assert_same(whole, reference(texts, texts))
    assert ngrams.features([]).shape == (0, whole.shape[1])


def test_ngrams_whose_beginnings_were_cut_from_the_vocabulary_are_found() -> None:
    trie = build_trie(["abcd", "ab", "xyz"])
    assert trie
    begins, columns = trie.find(np.array([ord(c) for c in "xabcdxyz ab"], dtype=np.uint32))
    assert sorted(zip(begins.tolist(), columns.tolist(), strict=True)) == [(1, 0), (1, 1), (5, 2), (9, 1)]


def test_too_many_cells_fall_back_to_scikit_learn() -> None:
    training = [chr(0x4E00 + draw) + chr(0x4E00 + draw * 7 % 400) for draw in range(400)]
    small, large = fit_ngrams(training, most_cells=1000), fit_ngrams(training)
    assert small.tables is None
    assert large.tables
    assert_same(large.features([*training, *ODD]), reference(training, [*training, *ODD]))
    fallen_back = small.features([*training, *ODD])
    np.testing.assert_array_equal(fallen_back.toarray(), reference(training, [*training, *ODD]).toarray())


@pytest.mark.parametrize("most_cells", [10**6, 0])
def test_what_is_restored_gives_the_same_matrix_and_state(most_cells: int) -> None:
    ngrams = fit_ngrams(ODD, most_cells)
    again = restore_ngrams(ngrams.state(), most_cells)
    assert (again.tables is None) == (most_cells == 0)
    np.testing.assert_array_equal(again.features(ODD).toarray(), ngrams.features(ODD).toarray())
    assert [set(kind) for kind in again.state()] == [{"analyzer", "shortest", "longest", "vocabulary", "idf"}] * 2
    assert Ngrams(again.kinds, None).state() == again.state()


def test_a_state_of_other_ngrams_is_refused() -> None:
    words, characters = fit_ngrams(ODD).state()
    with pytest.raises(ValueError, match="no n-grams of the kind"):
        restore_ngrams([words, {**characters, "longest": 6}])
    with pytest.raises(ValueError, match="are not one for each of the n-grams"):
        restore_ngrams([words, {**characters, "idf": characters["idf"][:-1]}])
    with pytest.raises(ValueError, match="are not one for each of the n-grams"):
        restore_ngrams([{**words, "vocabulary": words["vocabulary"] + "\nab"}, characters])
    with pytest.raises(KeyError):
        restore_ngrams([words])
