"""A trie of character n-grams: all windows of a batch of texts are looked up together, one step per length.

The trie is one flat array, `steps[node * base + letter]`, where a letter is the small number of a code point. A text of
fifty characters has two hundred n-grams; looked up one by one in a dictionary, they take longer than the model itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.intp]
MOST_CELLS = (
    16_000_000  # cells of 4 bytes. Reached by scripts of thousands of letters; 15,000 English sentences have a million
)
NO_COLUMN = -1


@dataclass(frozen=True)
class Trie:
    """The trie. letters: the letter of each code point, 0 for code points outside the n-grams. steps: the next node; 0:
    none of the n-grams continues so. Leaves come last and have no steps; `inner` is the number of the other nodes.
    columns: per node, the n-gram's position in the vocabulary; NO_COLUMN for nodes that only begin longer n-grams.
    """

    letters: NDArray[np.int32]
    base: int
    steps: NDArray[np.int32]
    inner: int
    columns: NDArray[np.int32]
    longest: int

    def find(self, codes: NDArray[np.uint32]) -> tuple[Ints, Ints]:
        """For each n-gram found, the position where it begins, and its column. codes: code points; one outside all
        n-grams ends every n-gram."""
        letters = self._letters_of(codes)
        (where,) = letters.nonzero()
        node = self.steps[letters[where]]
        begins, nodes = [], []
        for length in range(2, self.longest + 1):
            (goes_on,) = ((node > 0) & (node < self.inner)).nonzero()
            where = where[goes_on]
            node = self.steps[node[goes_on] * self.base + letters[where + (length - 1)]]
            begins.append(where)
            nodes.append(node)
        return self._known(np.concatenate(begins), np.concatenate(nodes))

    def _letters_of(self, codes: NDArray[np.uint32]) -> Ints:
        """The letters of these code points, padded with as many unknown letters as a window may reach beyond the
        end."""
        letters = np.zeros(len(codes) + self.longest, dtype=np.intp)
        letters[: len(codes)] = self.letters[np.minimum(codes, len(self.letters) - 1)]
        return letters

    def _known(self, begins: Ints, nodes: NDArray[np.int32]) -> tuple[Ints, Ints]:
        columns = self.columns[nodes]
        (known,) = (columns >= 0).nonzero()
        return begins[known], columns[known].astype(np.intp)


def build_trie(ngrams: Sequence[str], most_cells: int = MOST_CELLS) -> Trie | None:
    """Build a trie. ngrams: distinct, each of two characters or more, at least one. None: the trie would have more than
    `most_cells`."""
    codes = code_points("".join(ngrams))
    lengths = np.fromiter(map(len, ngrams), dtype=np.intp, count=len(ngrams))
    known, letter = np.unique(codes, return_inverse=True)
    base = len(known) + 1
    edges, nodes = _edges(letter + 1, lengths, base)
    inner = np.zeros(len(edges) + 1, dtype=np.bool_)
    inner[edges // base] = True
    if inner.sum() * base > most_cells:
        return None
    letters = np.zeros(int(known[-1]) + 2, dtype=np.int32)
    letters[known] = np.arange(1, base)
    place = np.empty(len(inner), dtype=np.intp)
    place[np.argsort(~inner, kind="stable")] = np.arange(len(inner))  # the root is inner and stays 0
    steps = np.zeros(inner.sum() * base, dtype=np.int32)
    steps[place[edges // base] * base + edges % base] = place[1:]
    columns = np.full(len(inner), NO_COLUMN, dtype=np.int32)
    columns[place[nodes]] = np.arange(len(ngrams))
    return Trie(letters, base, steps, int(inner.sum()), columns, int(lengths.max()))


def code_points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def _edges(letters: Ints, lengths: Ints, base: int) -> tuple[Ints, Ints]:
    """For nodes 1, 2, ...: parent * base + letter, parents first; and the node of each n-gram. letters: those of all
    n-grams, concatenated. The nodes of one length are the distinct pairs of parent and letter.
    """
    begins = np.cumsum(lengths) - lengths
    node, edges, count = np.zeros(len(lengths), dtype=np.intp), [], 0
    for at in range(int(lengths.max())):
        longer = np.flatnonzero(lengths > at)
        new, which = np.unique(node[longer] * base + letters[begins[longer] + at], return_inverse=True)
        node[longer] = count + 1 + which
        edges.append(new)
        count += len(new)
    return np.concatenate(edges), node
