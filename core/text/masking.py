"""Masking of personal data in a text: each match is replaced by the name of its kind.

The running time is bounded for every text: the expressions have no nested repetition, an operator's own expressions run
in RE2 (linear in the text), and check digits are computed for a bounded number of candidates per character. Check
digits follow the standards (ISO/IEC 7812 for cards, ISO 13616 for IBANs); the package phonenumbers knows which
telephone numbers exist. RE2 and phonenumbers are an extra, imported only for a policy that needs them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, Literal

import re2

Kind = Literal["email", "phone", "card", "iban"]

PLACEHOLDERS: dict[str, str] = {
    "email": "[e-mail]",
    "iban": "[IBAN]",
    "card": "[card]",
    "phone": "[phone]",
    "own": "[hidden]",
}
RANK = ("kept", *PLACEHOLDERS)  # of two matches that begin at the same place, the first in this order names the whole
LONGEST_PATTERN = 500
LIBRARIES = {"phone": "phonenumbers", "card": "stdnum", "iban": "stdnum"}

_KEPT = re.compile("|".join(re.escape(words) for words in PLACEHOLDERS.values()))
# Local part at most 64 and domain at most 255 characters (RFC 5321); letters of any script (RFC 6531).
_EMAIL = re.compile(
    r"(?<![\w+'-])[\w!#$%&'*+/=?^`{|}~-][\w.!#$%&'*+/=?^`{|}~-]{0,63}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,63}"
)
_GROUPS = re.compile(r"[0-9]+")
_CARD_DIGITS = range(13, 20)
_CARD_BEGINS = "23456"  # industry identifiers under which banks and travel issue cards
_MOST_GROUPS = 6  # 4-4-4-4-3 has five; cards are not written digit by digit
_BETWEEN = frozenset(" \t\r\n\u00a0\u2009\u202f\u200b.-\u2010\u2011\u2012\u2013\u2014\u2212")
_LONGEST_GAP = 3  # characters between two groups
# A date is no telephone number, although a range of two looks like one. French numbers, in pairs of digits, continue.
_DATE = re.compile(r"(?<![\d./-])(?:\d{1,2}([./-])\d{1,2}\1(?:19|20)\d\d|(?:19|20)\d\d-\d\d-\d\d)(?!\d)")
_IBAN = re.compile(r"(?<![^\W_])[A-Za-z]{2}[ ]?[0-9]{2}")
_LONGEST_IBAN = 34


@dataclass(frozen=True)
class _Found:
    start: int
    end: int
    kind: str


def mask(text: str, kinds: Sequence[str], region: str = "", patterns: Sequence[str] = ()) -> str:
    """The text with a placeholder for each match of these kinds, and for each match of the patterns ("[hidden]").

    region: the country whose numbers are recognised without "+" (two capital letters; empty: only numbers with "+").
    Overlapping matches become one placeholder. Masking twice changes nothing. The empty text stays empty.
    """
    found = list(_all(text, kinds, patterns))
    if "iban" in kinds:  # also an IBAN that follows a card's number without a blank
        found += _ibans(_blanked(text, [one for one in found if one.kind == "card"]))
    if "phone" in kinds:
        found += _phones(_blanked(text, [*found, *_dates(text)]), region)
    found.sort(key=lambda one: (one.start, RANK.index(one.kind)))
    parts, done = [], 0
    for start, end, kind in _merged(found):
        parts += [text[done:start], text[start:end] if kind == "kept" else PLACEHOLDERS[kind]]
        done = end
    return "".join([*parts, text[done:]])


def pattern_problem(pattern: str) -> str | None:
    """The problem of an operator's own pattern; None if it can be used."""
    if len(pattern) > LONGEST_PATTERN:
        return f"must have at most {LONGEST_PATTERN} characters"
    try:
        compiled = _compiled(pattern)
    except re2.error as error:
        words = error.args[0]
        words = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
        return f"is not valid RE2 syntax, which has no look-around and no back-references: {words}"
    return "must not match an empty text, as it would match everywhere" if compiled.search("") else None


def region_problem(region: str) -> str | None:
    """The problem of a region; None for a country (two capital letters) or an empty text."""
    if region == "":
        return None
    if problem := mask_problem("phone"):
        return problem
    import phonenumbers

    if region in phonenumbers.SUPPORTED_REGIONS:
        return None
    return "must be a country code of two capital letters, such as DE"


def mask_problem(kind: Kind) -> str | None:
    """Why this kind cannot be masked; None if it can. A policy with such a kind is refused, because its texts would be
    shown unmasked."""
    library = LIBRARIES.get(kind)
    if library is None or find_spec(library):
        return None
    return f"is recognised by {library}, which is not installed. Install it with: pip install 'goldloop[masking]'"


def _all(text: str, kinds: Sequence[str], patterns: Sequence[str]) -> Iterator[_Found]:
    yield from (_Found(hit.start(), hit.end(), "kept") for hit in _KEPT.finditer(text))
    if "email" in kinds:
        yield from (_Found(hit.start(), hit.end(), "email") for hit in _EMAIL.finditer(text))
    if "iban" in kinds:
        yield from _ibans(text)
    if "card" in kinds:
        yield from _cards(text)
    for pattern in patterns:
        hits = _compiled(pattern).finditer(text)
        yield from (_Found(hit.start(), hit.end(), "own") for hit in hits if hit.end() > hit.start())


def _merged(found: Sequence[_Found]) -> Iterator[tuple[int, int, str]]:
    """Merge overlapping matches into one, with the kind of the first."""
    start, end, kind = 0, 0, ""
    for one in found:
        if kind and one.start < end:
            kind = one.kind if kind == "kept" and one.end > end else kind
            end = max(end, one.end)
            continue
        if kind:
            yield start, end, kind
        start, end, kind = one.start, one.end, one.kind
    if kind:
        yield start, end, kind


def _blanked(text: str, found: Sequence[_Found]) -> str:
    """The text with each match replaced by as many line breaks, so that digits beside a match are not joined to it."""
    letters = list(text)
    for one in found:
        letters[one.start : one.end] = "\n" * (one.end - one.start)
    return "".join(letters)


def _dates(text: str) -> Iterator[_Found]:
    yield from (_Found(hit.start(), hit.end(), "date") for hit in _DATE.finditer(text))


def _phones(text: str, region: str) -> Iterator[_Found]:
    """Phone numbers: with "+" any of a possible length; without, those that exist in the region."""
    import phonenumbers

    looks: list[tuple[str | None, int]] = [(None, phonenumbers.Leniency.POSSIBLE)]
    looks += [(region, phonenumbers.Leniency.VALID)] if region else []
    for country, leniency in looks:
        for hit in phonenumbers.PhoneNumberMatcher(text, country, leniency):
            yield _Found(hit.start, hit.end, "phone")


def _cards(text: str) -> Iterator[_Found]:
    """Card numbers: 13 to 19 digits with a valid check digit, in one run or in groups as on a card."""
    from stdnum import luhn

    groups = [hit.span() for hit in _GROUPS.finditer(text)]
    for first, (start, _end) in enumerate(groups):
        if text[start] not in _CARD_BEGINS:
            continue
        digits, former = "", start
        for begin, end in groups[first : first + _MOST_GROUPS]:
            is_gap = begin - former <= _LONGEST_GAP and _BETWEEN.issuperset(text[former:begin])
            if not is_gap or len(digits) + end - begin > _CARD_DIGITS[-1]:
                break
            digits, former = digits + text[begin:end], end
            if len(digits) in _CARD_DIGITS and luhn.is_valid(digits):
                yield _Found(start, end, "card")


def _ibans(text: str) -> Iterator[_Found]:
    from stdnum import iban

    for hit in _IBAN.finditer(text):
        end, compact = _letters_and_digits(text, hit.start(), _iban_length(hit.group()[:2].upper()))
        if compact and iban.is_valid(compact, check_country=False):
            yield _Found(hit.start(), end, "iban")


def _letters_and_digits(text: str, start: int, wanted: int) -> tuple[int, str]:
    """The end and the characters of `wanted` letters and digits from `start` on, with at most a small gap between two.
    Empty if there are fewer, or more follow."""
    compact, at, gap = "", start, 0
    while len(compact) < wanted and at < len(text):
        if text[at].isascii() and text[at].isalnum():
            compact, gap = compact + text[at], 0
        elif text[at] not in _BETWEEN or gap == _LONGEST_GAP:
            break
        else:
            gap += 1
        at += 1
    whole = wanted > 0 and len(compact) == wanted and not text[at : at + 1].isalnum()
    return at, compact if whole else ""


@lru_cache(maxsize=512)
def _iban_length(country: str) -> int:
    """The length of an IBAN of this country; 0 if it has none."""
    from stdnum import numdb

    parts: list[tuple[str, dict[str, Any]]] = numdb.get("iban").info(country + "0" * _LONGEST_IBAN)
    layout = parts[0][1].get("bban", "")
    return 4 + sum(int(size) for size in re.findall(r"(\d+)!", layout)) if layout else 0


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)
