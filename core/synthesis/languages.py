"""The language of a short text, by the words that every text of a language is made of.

Where a queue has no texts of a language, its model's vocabulary says nothing about them. So a list of the some two
hundred commonest words decides (`words/`, one file for each language): a text is of the language in whose list most of
its words are, if they are enough. Detectors trained on long texts are wrong on short ones.
"""

import re
from collections.abc import Collection
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from core.text.normalisation import normalise

LEAST_SHARE = 0.25  # of a text's words; about half of a running text's words are in the list, fewer of a short one's
WORD = re.compile(r"[^\W\d_]+")


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, in order, without digits and punctuation."""
    return WORD.findall(normalise(text))


def share_known(text: str, words: Collection[str]) -> float:
    """The share of the text's words that are among these, in [0, 1]; 0 without any word."""
    found = words_of(text)
    return sum(word in words for word in found) / len(found) if found else 0.0


def is_of_language(text: str, language: str) -> bool:
    """Whether at least `LEAST_SHARE` of its words are in the language's list, and in no other list more. language: one
    of `known_languages`."""
    shares = {one: share_known(text, common_words(one)) for one in known_languages()}
    return shares[language] >= max(LEAST_SHARE, *shares.values())


@cache
def known_languages() -> tuple[str, ...]:
    """ISO 639-1 codes of the languages that have a list, in order."""
    return tuple(sorted(file.name.removesuffix(".txt") for file in _folder().iterdir()))


@cache
def common_words(language: str) -> frozenset[str]:
    return frozenset(normalise((_folder() / f"{language}.txt").read_text(encoding="utf-8")).split())


def _folder() -> Traversable:
    return files("core.synthesis") / "words"
