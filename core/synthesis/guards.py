"""The guards between a language model and the training data. Each one checks the texts that the guards before it let
through. The remaining texts are shown to people, who decide (core/synthesis/deciding.py).

Guards check form, language and secrets, not truth: of 232 texts of a small model, half had the right label before them
and 54 of 100 after.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.learning.data.text_similarity import near_texts, without_near
from core.synthesis.languages import is_of_language, share_known, words_of
from core.text.content_hash import content_hash
from core.text.masking import PLACEHOLDERS
from core.vocabulary import Guard

SHORTEST, LONGEST = 8, 200  # characters; texts may be longer if the examples are, up to twice the longest example
FEWEST_WORDS = 3
KNOWN_SHARE = 0.7  # the smallest share of a text's words that the queue's own texts have
NEAR_TRAINING = 0.92  # cosine of n-grams
THIRD_LABEL = 0.5  # probability of a label that is neither the requested one nor the one given by mistake
ALIKE = 0.8  # cosine of n-grams
PER_ROW, MOST_KEPT = 4, 20  # the most texts for each of the label's own rows, and in a batch
MOST_LEAKS = 1 / 50  # share of the texts; with more, the prompt or the model knows the golden set

Chances = Callable[[Sequence[str]], list[Mapping[str, float]]]

_LINK = re.compile(r"https?:|www\.|\b[\w-]+\.(?:com|org|net|io|de|fr)\b", re.IGNORECASE)
_MARKUP = re.compile(r"[<>{}\[\]`|\\]|\*\*|__|^#|&\w+;")
_TO_THE_READER = re.compile(
    r"\bas an? (?:ai|language model|assistant)\b|\blanguage model\b|\bignore (?:all|any|the|every|previous|this)\b"
    r"|\b(?:the|this|your) guideline|\bdear reviewer|\breviewers?\b|\bplease (?:label|classify|choose|confirm)\b"
    r"|\bi can(?:'|no)t (?:assist|help with|comply)|\bi(?: a|')m sorry, but\b|\blabel this\b|\bcorrect label\b"
    r"|\b(?:happy|glad) to (?:help|assist)\b|\bhow (?:can|may) (?:i|we) (?:help|assist) you\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Known:
    """The data with which the guards compare texts. shown: the texts in the prompt, as they were sent. training,
    golden: texts; golden ones are compared at the policy's threshold. words: of the queue's own texts, normalised.
    rows: the number of training rows of the label. written: content hashes of earlier batches. allowed: labels of which
    the live model may be sure."""

    shown: Sequence[str]
    training: Sequence[str]
    golden: Sequence[str]
    golden_threshold: float
    words: frozenset[str]
    rows: int
    allowed: frozenset[str]
    written: frozenset[str] = frozenset()
    language: str = ""


@dataclass(frozen=True)
class Judged:
    """A text with its verdict. dropped: None: it is kept."""

    text: str
    content_hash: str
    dropped: Guard | None


@dataclass(frozen=True)
class Guarded:
    """The result of the guards. texts: each content once, in the order in which they were written. written: the number
    of texts, including repeated ones. counts: the number of texts that each guard dropped; guards that dropped none are
    left out."""

    texts: tuple[Judged, ...]
    written: int
    counts: Mapping[Guard, int]

    @property
    def kept(self) -> list[Judged]:
        return [one for one in self.texts if one.dropped is None]

    @property
    def knows_the_golden_set(self) -> bool:
        return self.counts.get(Guard.GOLDEN_LEAK, 0) > self.written * MOST_LEAKS


def guarded(texts: Sequence[str], known: Known, chances: Chances) -> Guarded:
    """Apply the guards in their order. chances: for each text, label -> probability by the live model."""
    hashes = [content_hash(text) for text in texts]
    dropped: list[Guard | None] = [None] * len(texts)

    def drop(guard: Guard, bad: Callable[[list[str]], Sequence[bool] | NDArray[np.bool_]]) -> None:
        left = [place for place, why in enumerate(dropped) if why is None]
        for place, is_bad in zip(left, bad([texts[place] for place in left]) if left else [], strict=True):
            dropped[place] = guard if is_bad else None

    longest = max([LONGEST, *(2 * len(text) for text in known.shown)])
    drop(Guard.FORM, lambda left: [not has_form(text, longest) for text in left])
    drop(Guard.LANGUAGE, lambda left: [not _is_in_language(text, known) for text in left])
    drop(Guard.REPEAT, lambda left: _repeated([content_hash(text) for text in left], known.written))
    drop(Guard.NEAR_TRAINING, lambda left: near_texts(left, [*known.shown, *known.training], NEAR_TRAINING))
    drop(Guard.GOLDEN_LEAK, lambda left: near_texts(left, known.golden, known.golden_threshold))
    drop(Guard.OTHER_LABEL, lambda left: [_is_of_another(one, known.allowed) for one in chances(left)])
    drop(Guard.ALIKE, _alike)
    drop(Guard.ENOUGH, lambda left: [place >= most_kept(known.rows) for place in range(len(left))])
    first: dict[str, Judged] = {}
    for text, digest, why in zip(texts, hashes, dropped, strict=True):
        first.setdefault(digest, Judged(text, digest, why))
    return Guarded(tuple(first.values()), len(texts), Counter(why for why in dropped if why is not None))


def has_form(text: str, longest: int = LONGEST) -> bool:
    """Whether the text looks like a message of a person. longest: characters."""
    if not SHORTEST <= len(text) <= longest or len(words_of(text)) < FEWEST_WORDS:
        return False
    if any(words in text for words in PLACEHOLDERS.values()) or not text.isprintable():
        return False
    return not (_LINK.search(text) or _MARKUP.search(text) or _TO_THE_READER.search(text))


def most_kept(rows: int) -> int:
    """The number of texts that a batch may keep, for a label with so many training rows of its own."""
    return min(MOST_KEPT, PER_ROW * rows)


def _is_in_language(text: str, known: Known) -> bool:
    if known.language:
        return is_of_language(text, known.language)
    return share_known(text, known.words) >= KNOWN_SHARE


def _repeated(hashes: Sequence[str], before: frozenset[str]) -> list[bool]:
    seen, found = set(before), []
    for digest in hashes:
        found.append(digest in seen)
        seen.add(digest)
    return found


def _is_of_another(chances: Mapping[str, float], allowed: frozenset[str]) -> bool:
    return any(share >= THIRD_LABEL and label not in allowed for label, share in chances.items())


def _alike(texts: Sequence[str]) -> list[bool]:
    """For each text, in order, whether it is too similar to an earlier one that stays."""
    staying = set(without_near(texts, ALIKE))
    return [place not in staying for place in range(len(texts))]
