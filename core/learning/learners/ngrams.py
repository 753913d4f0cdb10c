"""N-gram features: texts as sparse rows of words (1 to 2) and characters (2 to 5, within words), each kind as TF-IDF of
length 1, side by side.

Character n-grams tolerate typos and endings, and are the only features in languages without spaces. All n-grams of the
training texts are kept, even those seen once: with 8 rows per label this gains 1.8 points of accuracy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from core.learning.learners.ngram_tables import NgramTables
from core.learning.learners.trie import MOST_CELLS, build_trie
from core.learning.learners.word_pairs import build_word_pairs

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer

WORDS, CHARACTERS = ("word", 1, 2), ("char_wb", 2, 5)
MAX_FEATURES = 100_000  # per kind, the most frequent; bounds a model's memory: 2 * 100,000 * 4 bytes per label


@dataclass(frozen=True)
class Kind:
    """The n-grams of one kind. vocabulary: the n-grams in order, separated by line feeds; idf: float32, one per n-gram.
    N-grams contain no line feed: words have none by definition, and characters are taken within white space. As a
    dictionary, skops would write a node for each entry and be far slower.
    """

    what: tuple[str, int, int]
    vocabulary: str
    idf: NDArray[np.float32]

    def ngrams(self) -> list[str]:
        return self.vocabulary.split("\n")


@dataclass(frozen=True)
class Ngrams:
    """The n-grams of a training set, of at least one kind. tables: None if they would be too large."""

    kinds: tuple[Kind, ...]
    tables: NgramTables | None

    def features(self, texts: Sequence[str]) -> csr_matrix:
        """The features: float32, shape (texts, n-grams). A text without any known n-gram gives a row without
        entries."""
        if self.tables:
            return self.tables.features(texts)
        return hstack([vectorizer.transform(texts) for vectorizer in self._vectorizers], format="csr")

    @cached_property
    def _vectorizers(self) -> "tuple[TfidfVectorizer, ...]":
        return tuple(map(_restored_vectorizer, self.kinds))

    def state(self) -> list[dict[str, Any]]:
        names = ("analyzer", "shortest", "longest")
        return [
            dict(zip(names, kind.what, strict=True), vocabulary=kind.vocabulary, idf=kind.idf) for kind in self.kinds
        ]


def fit_ngrams(texts: Sequence[str], most_cells: int = MOST_CELLS) -> Ngrams:
    """Collect the n-grams of texts, at least one of which is more than white space. Emoji alone have characters but no
    words, so only one kind. most_cells: the largest trie; above it, n-grams are looked up as scikit-learn does.
    """
    kinds = [(what, _vectorizer(what, max_features=MAX_FEATURES)) for what in (WORDS, CHARACTERS)]
    found = [(what, kind) for what, kind in kinds if any(map(kind.build_analyzer(), texts))]
    return _ngrams([_kind(what, kind.fit(texts)) for what, kind in found], most_cells)


def restore_ngrams(state: Sequence[Mapping[str, Any]], most_cells: int = MOST_CELLS) -> Ngrams:
    """The inverse of `Ngrams.state`. Raises KeyError, TypeError, ValueError or AttributeError on anything else."""
    return _ngrams([_restored_kind(one) for one in state], most_cells)


def _ngrams(kinds: Sequence[Kind], most_cells: int) -> Ngrams:
    of = {kind.what: kind for kind in kinds}
    trie = build_trie(of[CHARACTERS].ngrams(), most_cells)
    words = build_word_pairs(of[WORDS].ngrams()) if WORDS in of else None
    idf = np.concatenate([kind.idf for kind in kinds])
    word_columns = len(of[WORDS].idf) if WORDS in of else 0
    return Ngrams(tuple(kinds), NgramTables(words, trie, idf, word_columns) if trie else None)


def _vectorizer(what: tuple[str, int, int], **options: Any) -> "TfidfVectorizer":
    from sklearn.feature_extraction.text import TfidfVectorizer  # takes a second; not needed to serve a model

    analyzer, shortest, longest = what
    return TfidfVectorizer(analyzer=analyzer, ngram_range=(shortest, longest), dtype=np.float32, **options)


def _kind(what: tuple[str, int, int], fitted: "TfidfVectorizer") -> Kind:
    return Kind(what, "\n".join(fitted.get_feature_names_out()), fitted.idf_)


def _restored_kind(state: Mapping[str, Any]) -> Kind:
    kind = Kind((state["analyzer"], state["shortest"], state["longest"]), state["vocabulary"], state["idf"])
    if kind.what not in (WORDS, CHARACTERS):
        raise ValueError(f"there are no n-grams of the kind {kind.what}")
    ngrams = kind.ngrams()
    if not len(set(ngrams)) == len(ngrams) == len(kind.idf):
        raise ValueError(f"{len(kind.idf)} weights are not one for each of the n-grams")
    return kind


def _restored_vectorizer(kind: Kind) -> "TfidfVectorizer":
    vectorizer = _vectorizer(kind.what, vocabulary=kind.ngrams())
    vectorizer.idf_ = kind.idf
    return vectorizer
