"""The similarity of texts, by which near-duplicates of golden texts are found.

Similarity of two texts: the cosine of their counts of character n-grams (3 to 5, within words), after the normalisation
of core/text/normalisation.py. It is a function of the two texts alone. With weights learned from a corpus (TF-IDF), a
row that was left out of one snapshot could be let into the next because other rows had come.

Broder (1997), "On the resemblance and containment of documents", compares sets of n-grams; counts and the cosine keep
short texts, which have few n-grams, from jumping. What a threshold lets through is listed in docs/methods.md.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.text.normalisation import normalise

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

BoolArray = NDArray[np.bool_]
CELLS = 2_000_000  # similarities held at once, at most 12 bytes each
ROUNDING = 1e-5  # of float32 sums: texts with equal n-grams must reach a threshold of 1


def near_texts(texts: Sequence[str], golden_texts: Sequence[str], threshold: float) -> BoolArray:
    """Whether each text is equal to a golden one after normalisation, or at least `threshold` similar to one.

    threshold: above 0, at most 1. Returns shape (texts,). No golden texts: all False. An empty text is near an empty
    one only. Word order does not count, since n-grams end with the word: "refund my order" is near "my order refund".
    Memory is bounded, whatever the number of texts; time grows with texts times golden texts that share n-grams.
    """
    equal = _equal(texts, golden_texts)
    if not golden_texts:
        return equal
    golden = _rows(golden_texts).T.tocsr()
    close = [_closest(_rows(texts[part]), golden) >= threshold - ROUNDING for part in _parts(texts, golden_texts)]
    near_enough: BoolArray = equal | np.concatenate([np.empty(0, dtype=np.bool_), *close])
    return near_enough


def similar_pairs(texts: Sequence[str], threshold: float) -> "csr_matrix":
    """The similarities of the texts among each other that reach the threshold, each text's with itself too; shape
    (texts, texts). Time and memory grow with the square of their number: for some thousands. At least one text."""
    rows = _rows(texts)
    found = (rows @ rows.T).tocsr()
    found.data[found.data < threshold - ROUNDING] = 0
    found.eliminate_zeros()
    return found


def _equal(texts: Sequence[str], golden_texts: Sequence[str]) -> BoolArray:
    golden = {normalise(text) for text in golden_texts}
    return np.array([normalise(text) in golden for text in texts], dtype=np.bool_)


@cache
def _vectorizer() -> Any:
    """Stateless: nothing is learned, the same text is always the same row. scikit-learn takes a second to import, and
    most processes compare no texts."""
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), n_features=2**20, alternate_sign=False, norm=None, dtype=np.float32
    )


def _rows(texts: Sequence[str]) -> "csr_matrix":
    """Of length 1, shape (texts, columns). N-grams end with the word, so a text is the sum of its words, and each word
    is taken apart once: there are far fewer different words than words."""
    from scipy.sparse import csr_matrix
    from sklearn.preprocessing import normalize

    words = [normalise(text).split() for text in texts]
    places = {word: place for place, word in enumerate(dict.fromkeys(chain.from_iterable(words)))}
    if not places:
        return csr_matrix((len(texts), _vectorizer().n_features), dtype=np.float32)
    columns = [places[word] for one in words for word in one]
    ends = np.cumsum([0, *map(len, words)])
    counts = csr_matrix((np.ones(len(columns), np.float32), columns, ends), shape=(len(texts), len(places)))
    return normalize(counts @ _vectorizer().transform(places), copy=False)


def _parts(texts: Sequence[str], golden_texts: Sequence[str]) -> Iterator[slice]:
    size = max(1, CELLS // len(golden_texts))
    return (slice(start, start + size) for start in range(0, len(texts), size))


def _closest(rows: "csr_matrix", golden: "csr_matrix") -> NDArray[np.float32]:
    """The highest similarity of each row; 0 for one that shares nothing."""
    found = rows @ golden
    highest = np.zeros(found.shape[0], dtype=np.float32)
    some = np.flatnonzero(np.diff(found.indptr))
    highest[some] = np.maximum.reduceat(found.data, found.indptr[some]) if len(some) else 0
    return highest
