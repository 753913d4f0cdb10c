"""A table of words and pairs of words: all words of a batch of texts are looked up together."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.intp]
BREAK = "\n"  # separates two texts
WORDS = re.compile(rf"\w\w+|{BREAK}")  # words as scikit-learn defines them, of two characters or more; and the breaks
BREAK_NUMBER, UNKNOWN = -1, -2


@dataclass(frozen=True)
class WordPairs:
    """The table. numbers: a number for each word, alone or in a pair. columns: by number, the word's position in the
    vocabulary; -1 for words that only occur in pairs. pairs: first * words + second, ascending; pair_columns: their
    positions in the vocabulary."""

    numbers: dict[str, int]
    columns: NDArray[np.int32]
    pairs: NDArray[np.int64]
    pair_columns: NDArray[np.int32]

    def find(self, joined: str) -> tuple[Ints, Ints]:
        """For each word or pair found, the number of its text, and its column. joined: lower-case texts, joined by
        BREAK."""
        found = WORDS.findall(joined)
        numbers = np.fromiter(map(self.numbers.get, found, repeat(UNKNOWN)), dtype=np.int64, count=len(found))
        rows = (numbers == BREAK_NUMBER).cumsum()
        single, single_columns = self._words(numbers)
        double, double_columns = self._pairs(numbers)
        return rows[np.concatenate([single, double])], np.concatenate([single_columns, double_columns])

    def _words(self, numbers: Ints) -> tuple[Ints, Ints]:
        (known,) = (numbers >= 0).nonzero()
        columns = self.columns[numbers[known]]
        return known[columns >= 0], columns[columns >= 0].astype(np.intp)

    def _pairs(self, numbers: Ints) -> tuple[Ints, Ints]:
        (first,) = ((numbers[:-1] >= 0) & (numbers[1:] >= 0)).nonzero()
        pairs = numbers[first] * len(self.columns) + numbers[first + 1]
        at = np.minimum(self.pairs.searchsorted(pairs), len(self.pairs) - 1)
        (known,) = (self.pairs[at] == pairs).nonzero()
        return first[known], self.pair_columns[at[known]].astype(np.intp)


def build_word_pairs(ngrams: Sequence[str]) -> WordPairs:
    """Build the table. ngrams: words, and pairs of words with a blank between, at least one in all."""
    parts = [ngram.split(" ") for ngram in ngrams]
    numbers = {word: number for number, word in enumerate(dict.fromkeys(chain.from_iterable(parts)))}
    columns = np.full(len(numbers), -1, dtype=np.int32)
    pairs = {}
    for column, part in enumerate(parts):
        if len(part) == 1:
            columns[numbers[part[0]]] = column
        else:
            pairs[numbers[part[0]] * len(numbers) + numbers[part[1]]] = column
    keys = np.array(sorted(pairs) or [-1], dtype=np.int64)  # -1 stands for "no pair" and is never found
    pair_columns = np.array([pairs.get(key, -1) for key in keys.tolist()], dtype=np.int32)
    return WordPairs({**numbers, BREAK: BREAK_NUMBER}, columns, keys, pair_columns)
