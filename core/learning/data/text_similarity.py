"""The similarity of texts, by which near-duplicates of golden texts are found. It is the cosine of their counts of
character n-grams (3 to 5, within words), after the normalisation of core/text/normalisation.py. It depends on the two
texts alone. With weights learned from a corpus (TF-IDF), a row that was left out of one snapshot could get into the
next because other rows were added.

Broder (1997), "On the resemblance and containment of documents", compares sets of n-grams; with counts and the cosine,
the similarity of short texts, which have few n-grams, changes less abruptly. docs/methods.md lists which texts pass a
threshold.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.learning.data.word_ngrams import word_ngrams
from core.text.normalisation import normalise

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

BoolArray = NDArray[np.bool_]
CELLS = 2_000_000  # similarities held at once, at most 12 bytes each
ROUNDING = 1e-5  # rounding of float32 sums: texts with equal n-grams must reach a threshold of 1


def near_texts(texts: Sequence[str], golden_texts: Sequence[str], threshold: float) -> BoolArray:
    """Whether each text is equal to a golden one after normalisation, or at least `threshold` similar to one.

    threshold: above 0, at most 1. Returns shape (texts,). No golden texts: all False. An empty text is only near an
    empty one. Word order does not count, because n-grams end with the word: "refund my order" is near "my order
    refund". Memory is bounded, whatever the number of texts; time grows with texts times golden texts that share
    n-grams.
    """
    normal, golden = [*map(normalise, texts)], [*map(normalise, golden_texts)]
    known = set(golden)
    equal = np.array([text in known for text in normal], dtype=np.bool_)
    if not golden_texts:
        return equal
    rows_of = _counted([*normal, *golden])
    columns = rows_of(golden).T.tocsr()
    close = [_closest(rows_of(normal[part]), columns) >= threshold - ROUNDING for part in _parts(texts, golden_texts)]
    near_enough: BoolArray = equal | np.concatenate([np.empty(0, dtype=np.bool_), *close])
    return near_enough


def similar_pairs(texts: Sequence[str], threshold: float) -> "csr_matrix":
    """The similarities among the texts that reach the threshold, including each text's with itself; shape (texts,
    texts). texts: at least one. Time and memory grow with the square of their number: for some thousands."""
    normal = [*map(normalise, texts)]
    rows = _counted(normal)(normal)
    found = (rows @ rows.T).tocsr()
    found.data[found.data < threshold - ROUNDING] = 0
    found.eliminate_zeros()
    return found


def without_near(texts: Sequence[str], threshold: float) -> list[int]:
    """The positions of the texts that stay. In order, a text stays if its similarity to all texts that stay so far is
    below `threshold`."""
    if not texts:
        return []
    close = similar_pairs(texts, threshold)
    gone, kept = np.zeros(len(texts), dtype=np.bool_), []
    for place in range(len(texts)):
        if not gone[place]:
            kept.append(place)
            gone[close.indices[close.indptr[place] : close.indptr[place + 1]]] = True
    return kept


def _counted(texts: Sequence[str]) -> Callable[[Sequence[str]], "csr_matrix"]:
    """A function that turns some of these texts into rows of length 1; all texts are in normal form. N-grams end with
    the word, so a text is the sum of its words, and each distinct word is split only once: there are far fewer distinct
    words than words."""
    places = {word: place for place, word in enumerate(dict.fromkeys(chain.from_iterable(map(str.split, texts))))}
    ngrams = word_ngrams(list(places))

    def rows_of(some: Sequence[str]) -> "csr_matrix":
        from scipy.sparse import csr_matrix

        columns = [[places[word] for word in text.split()] for text in some]
        ends = np.cumsum([0, *map(len, columns)])
        ones = np.ones(ends[-1], np.float32)
        found = csr_matrix((ones, [*chain.from_iterable(columns)], ends), shape=(len(some), len(places))) @ ngrams
        rows = np.repeat(np.arange(len(some)), np.diff(found.indptr))
        found.data /= np.sqrt(np.bincount(rows, np.square(found.data)))[rows].astype(np.float32)
        return found

    return rows_of


def _parts(texts: Sequence[str], golden_texts: Sequence[str]) -> Iterator[slice]:
    size = max(1, CELLS // len(golden_texts))
    return (slice(start, start + size) for start in range(0, len(texts), size))


def _closest(rows: "csr_matrix", golden: "csr_matrix") -> NDArray[np.float32]:
    """The highest similarity of each row to a golden one; 0 for a row that shares no n-gram."""
    found = rows @ golden
    highest = np.zeros(found.shape[0], dtype=np.float32)
    some = np.flatnonzero(np.diff(found.indptr))
    highest[some] = np.maximum.reduceat(found.data, found.indptr[some]) if len(some) else 0
    return highest
