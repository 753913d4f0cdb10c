import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from core.learning.data.word_ngrams import SIZES, word_ngrams

words = st.text(st.characters(exclude_categories=("Z", "Cc", "Cs")), min_size=1, max_size=12).filter(
    lambda word: word.split() == [word]
)


@given(st.lists(words | st.text("ab", min_size=1, max_size=9), min_size=1, max_size=8))
def test_words_share_the_n_grams_that_scikit_learn_finds(some: list[str]) -> None:
    counter = CountVectorizer(analyzer="char_wb", ngram_range=(min(SIZES), max(SIZES)), lowercase=False)
    counts, own = counter.fit_transform(some), word_ngrams(some)
    assert own.shape == counts.shape
    np.testing.assert_array_equal((own @ own.T).toarray(), (counts @ counts.T).toarray())


def test_no_words_have_no_n_grams() -> None:
    assert word_ngrams([]).shape == (0, 0)


def test_half_a_surrogate_pair_is_a_character() -> None:
    assert word_ngrams(["\ud83dx"]).sum() == 3
