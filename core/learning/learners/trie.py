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
    16_000_000  # of 4 bytes. Reached by scripts of thousands of letters; 15,000 English sentences have a million
)
NO_COLUMN = -1


@dataclass(frozen=True)
class Trie:
    """letters: a letter by code point, 0 beyond those of the n-grams. steps: 0 is "none of the n-grams".

    Nodes that no n-gram continues stand last and have no steps: `inner` is the number of the others. columns: the
    n-gram's place in the vocabulary by node, NO_COLUMN for the beginning of other n-grams only.
    """

    letters: NDArray[np.int32]
    base: int
    steps: NDArray[np.int32]
    inner: int
    columns: NDArray[np.int32]
    longest: int

    def find(self, codes: NDArray[np.uint32]) -> tuple[Ints, Ints]:
        """Where an n-gram begins, and its column. codes: code points; one that no n-gram has ends every n-gram."""
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
        """The letters of these code points, followed by as many unknown ones as a window may reach out."""
        letters = np.zeros(len(codes) + self.longest, dtype=np.intp)
        letters[: len(codes)] = self.letters[np.minimum(codes, len(self.letters) - 1)]
        return letters

    def _known(self, begins: Ints, nodes: NDArray[np.int32]) -> tuple[Ints, Ints]:
        columns = self.columns[nodes]
        (known,) = (columns >= 0).nonzero()
        return begins[known], columns[known].astype(np.intp)


def build_trie(ngrams: Sequence[str], most_cells: int = MOST_CELLS) -> Trie | None:
    """ngrams: different ones, of two characters or more, at least one. None: it would have more than `most_cells`."""
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
    """For node 1, 2, ... its parent * base + letter, parents first; and the node of each n-gram.

    letters: of all n-grams in a row. The nodes of one length are the different pairs of parent and letter.
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
