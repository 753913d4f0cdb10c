"""A second check for near-duplicates, independent of the filter (core/learning/data/text_similarity.py and
picture_similarity.py), so that they do not share bugs. Texts: plain counts of n-grams, not hashed columns, and pairs
chosen by shared words, not a product of matrices. Pictures: shrunk by Pillow, and one after the other in double
precision."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from heapq import nlargest, nsmallest
from math import sqrt
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.text.normalisation import normalise
from core.vocabulary import Coded

T = TypeVar("T")

SIDE = 64  # pixels of a side of the stored grey values
SIZES = (3, 4, 5)  # sizes of n-grams, the same as the filter's
RAREST = 4  # rare words of a text by which other texts are chosen for comparison
COMMON = 200  # a word in more texts chooses none: it gives no information, and would choose too many
COMPARED = 3  # the most texts with which each is compared: those that share most words

Grams = Counter[str]
Beside = tuple[Sequence[T], Sequence[T]]  # (the new ones, those with which they are compared)


def count_leaks(
    texts: Sequence[Beside[str]], text_threshold: float, pictures: Sequence[Beside[bytes]], picture_threshold: float,
    _report: Callable[[Coded], None],
) -> tuple[int, int]:  # fmt: skip
    """The numbers of texts and of pictures that are alike. To be run in another process."""
    return (
        sum(count_alike(new, others, text_threshold) for new, others in texts),
        sum(count_alike_pictures(new, others, picture_threshold) for new, others in pictures),
    )


def count_alike(texts: Sequence[str], others: Sequence[str], threshold: float) -> int:
    """How many of the texts are at least `threshold` similar to one of the others. threshold: above 0, at most 1.

    A text is compared with at most `COMPARED` others, which share one of its `RAREST` words. Time grows with the
    number of texts and of others, not with their product.
    """
    if not texts:  # the usual case, because most rows and golden examples were compared before
        return 0
    words = [frozenset(normalise(other).split()) for other in others]
    index = _index(words)
    grams = lru_cache(maxsize=None)(lambda place: _grams(others[place]))
    return sum(
        any(_cosine(_grams(text), grams(place)) >= threshold for place in _likeliest(text, index, words))
        for text in texts
    )


def count_alike_pictures(greys: Sequence[bytes], others: Sequence[bytes], threshold: float) -> int:
    """How many of the pictures are at least `threshold` similar to one of the others: the correlation of their 32 x 32
    grey values. Each is 64 x 64 bytes. A picture of one value everywhere is similar to none."""
    if not others:
        return 0
    known = np.array([_shrunk(other) for other in others])
    return sum(bool((known @ _shrunk(grey) >= threshold).any()) for grey in greys)


def _shrunk(grey: bytes) -> NDArray[np.float64]:
    """The picture as 32 x 32 values less their mean, scaled to length 1; all 0 for a picture of a single value."""
    from PIL import Image  # here, because most processes compare no pictures

    small = np.asarray(Image.frombytes("L", (SIDE, SIDE), grey).convert("F").reduce(2), dtype=np.float64).ravel()
    rest: NDArray[np.float64] = small - small.mean()
    rest /= float(np.sqrt(np.square(rest).sum())) or 1.0
    return rest


def _index(words: Sequence[Iterable[str]]) -> Mapping[str, list[int]]:
    """The index: word -> positions of the texts that have it."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, own in enumerate(words):
        for word in own:
            places[word].append(place)
    return places


def _likeliest(text: str, index: Mapping[str, list[int]], words: Sequence[frozenset[str]]) -> list[int]:
    own = {word for word in normalise(text).split() if word in index}
    rare = nsmallest(RAREST, (word for word in own if len(index[word]) <= COMMON), key=lambda word: len(index[word]))
    chosen = {place for word in rare for place in index[word]}
    return nlargest(COMPARED, chosen, key=lambda place: 2 * len(own & words[place]) - len(words[place]))


def _grams(text: str) -> Grams:
    """The n-grams of a text with their counts. They are taken within words, each padded with a blank on both sides; a
    word that is shorter than a size counts whole, once."""
    found: Grams = Counter()
    for word in normalise(text).split():
        padded = f" {word} "
        for size in SIZES:
            found.update(padded[at : at + size] for at in range(max(1, len(padded) - size + 1)))
            if len(padded) <= size:
                break
    return found


def _cosine(one: Grams, other: Grams) -> float:
    product = sum(count * other[gram] for gram, count in one.items())
    return product / sqrt(_square(one) * _square(other)) if product else 0.0


def _square(grams: Grams) -> int:
    return sum(count * count for count in grams.values())
