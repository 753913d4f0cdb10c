"""Slices: parts of the traffic in which the model is wrong more often than elsewhere, by more than chance.

Rows that a rule flags are wrong more often than the rest, and some slices are flagged more often than others. So the
two samples, flagged rows and audited rows, are tested separately, and the two tests are combined."""

import math
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from core.text.normalisation import normalise
from core.vocabulary import SliceKind

Array = NDArray[np.float64]

LEVEL = 0.05  # the probability of naming any slice if none is weak
FEWEST = 30  # the fewest settled rows of a slice
MOST_VALUES = 30  # a field with more values holds names or numbers, and is not tested
MOST_TERMS = 150
COMMON = 0.03  # a word in at least this share of the texts is tested only if it gives information about the label
UNTOLD = 0.6  # the largest share of the label's entropy that may remain when such a word is known
LENGTHS = (0, 4, 9, 21, 61)  # the lower bounds of the slices by length, in words
FAMILIAR = 3  # rows that must contain a word to make it familiar
STRANGE = 0.5  # share of familiar words below which a text is strange
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class KnownRow:
    """A settled answer of the present model. second: the second most likely label. reviewed: a rule sent it to people;
    otherwise the audit drew it. why: the reason that people gave. settled: the label that people settled; None: none of
    them."""

    item_id: int
    text: str
    fields: Mapping[str, str]
    label: str
    second: str | None
    wrong: bool
    reviewed: bool
    why: str | None = None
    settled: str | None = None


@dataclass(frozen=True)
class Look:
    """A slice that is tested. name: the field's. value: the value of the field, a label, a term, or the smallest number
    of words. other: the second most likely label of a pair."""

    kind: SliceKind
    value: str = ""
    name: str = ""
    other: str = ""


@dataclass(frozen=True)
class WeakSlice:
    """A weak slice. rows, wrong: numbers of its settled rows. others: the share of wrong rows outside of it, with
    flagged and audited rows weighted as in the slice. p_value: after Holm's correction, in [0, 1]. items: those of
    wrong rows, the newest first. whys: the reasons that people gave for them, with their counts, most frequent
    first. missed: the label that people settled most
    often for them; None: no label fits most of them, or there are none."""

    look: Look
    rows: int
    wrong: int
    others: float
    p_value: float
    items: tuple[int, ...] = ()
    whys: Mapping[str, int] = field(default_factory=dict)
    missed: str | None = None


def weak_slices(rows: Sequence[KnownRow], level: float = LEVEL, shown: int = 8) -> list[WeakSlice]:
    """The weak slices, the most certain first. If no slice is weak, the probability that any is named is at most
    `level`. shown: number of items of each. A slice is not named if, with both samples weighted alike, no larger share
    of it is wrong than elsewhere: then only one of the samples is evidence for it."""
    looks = looks_of(rows)
    if not looks:
        return []
    wrong, reviewed = np.array([row.wrong for row in rows]), np.array([row.reviewed for row in rows])
    p_values = holm([slice_p_value(wrong, reviewed, inside) for inside in looks.values()])
    found = [
        _weak(rows, look, inside, p_value, shown)
        for (look, inside), p_value in zip(looks.items(), p_values, strict=True)
        if p_value < level
    ]
    return sorted((one for one in found if one.wrong / one.rows > one.others), key=lambda one: (one.p_value, -one.rows))


def slice_p_value(wrong: NDArray[np.bool_], reviewed: NDArray[np.bool_], inside: NDArray[np.intp]) -> float:
    """The p-value, in (0, 1], of rows inside being wrong more often than those outside. Fisher's exact test (one-sided)
    is made on reviewed and on audited rows, and the two p-values are combined by Fisher's method (1932, section 21.1).
    With discrete tests, the result is conservative."""
    mine = np.zeros(len(wrong), bool)
    mine[inside] = True
    p_values = [
        more_often(
            int((wrong & mine & stratum).sum()), int((mine & stratum).sum()), int((wrong & stratum).sum()),
            int(stratum.sum()),
        )
        for stratum in (reviewed, ~reviewed)
    ]  # fmt: skip
    product = max(math.prod(p_values), 1e-300)
    return min(1.0, product * (1 - math.log(product)))


def more_often(wrong_inside: int, inside: int, wrong: int, rows: int) -> float:
    """Fisher's exact test, one-sided: the probability that at least so many of the wrong rows are inside by chance."""
    from scipy.special import gammaln  # loads scipy, which few callers need

    counts = np.arange(wrong_inside, min(inside, wrong) + 1, dtype=float)

    def log_choose(n: Array | float, k: Array | float) -> Array:
        return np.asarray(gammaln(np.add(n, 1)) - gammaln(np.add(k, 1)) - gammaln(np.subtract(n, k) + 1.0))

    possible = counts[wrong - counts <= rows - inside]
    logs = log_choose(float(inside), possible) + log_choose(float(rows - inside), wrong - possible)
    return float(min(1.0, np.exp(logs - log_choose(float(rows), float(wrong))).sum()))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values after Holm's correction (1979, Scandinavian Journal of Statistics 6, 65-70), in the same order."""
    adjusted, highest = [1.0] * len(p_values), 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def looks_of(rows: Sequence[KnownRow]) -> dict[Look, NDArray[np.intp]]:
    """The slices that are tested, with the places of their rows: those with at least 30 settled rows, and as many
    outside. Which these are does not depend on which rows are wrong."""
    inside: dict[Look, list[int]] = defaultdict(list)
    words = [_words(row.text) for row in rows]
    known = Counter(word for each in words for word in set(each))
    terms, values = _terms(rows, words, known), _few_values(rows)
    for place, row in enumerate(rows):
        for look in _looks(row, words[place], known, terms, values):
            inside[look].append(place)
    return {
        look: np.array(places) for look, places in inside.items() if FEWEST <= len(places) <= len(rows) - FEWEST
    }  # fmt: skip


def _looks(
    row: KnownRow, words: Sequence[str], known: Mapping[str, int], terms: set[str], values: set[str]
) -> list[Look]:
    found = [Look(SliceKind.FIELD, value, name) for name, value in row.fields.items() if name in values]
    found.append(Look(SliceKind.LABEL, row.label))
    if row.second is not None:
        found.append(Look(SliceKind.PAIR, row.label, other=row.second))
    if words:
        found.append(Look(SliceKind.LENGTH, str(_length(words))))
        if _is_strange(sum(known[word] >= FAMILIAR for word in words), words):
            found.append(Look(SliceKind.STRANGE_WORDS))
    return found + [Look(SliceKind.TERM, word) for word in set(words) & terms]


def _terms(rows: Sequence[KnownRow], words: Sequence[Sequence[str]], known: Counter[str]) -> set[str]:
    """The most frequent words, without common words that give no information about the label, such as "the" and
    "what"."""
    common = {word for word, count in known.items() if count >= COMMON * len(rows)}
    labels: dict[str, Counter[str]] = defaultdict(Counter)
    for row, each in zip(rows, words, strict=True):
        for word in common.intersection(each):
            labels[word][row.label] += 1
    least = _same_label(Counter(row.label for row in rows)) ** UNTOLD
    telling = (word for word, _count in known.most_common() if word not in common or _same_label(labels[word]) >= least)
    return set(islice((word for word in telling if len(word) > 2), MOST_TERMS))


def _same_label(labels: Counter[str]) -> float:
    """The share of the pairs of rows in which both have the same label. Its negative logarithm is the label's entropy
    of order 2 (Rényi 1961, On measures of entropy and information)."""
    rows = labels.total()
    return sum(count * (count - 1) for count in labels.values()) / max(1, rows * (rows - 1))


def _few_values(rows: Sequence[KnownRow]) -> set[str]:
    """Names of the fields with few different values."""
    values: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for name, value in row.fields.items():
            values[name].add(value)
    return {name for name, found in values.items() if len(found) <= MOST_VALUES}


def _weak(rows: Sequence[KnownRow], look: Look, inside: NDArray[np.intp], p_value: float, shown: int) -> WeakSlice:
    mine, places = [rows[place] for place in inside], set(inside.tolist())
    outside = [row for place, row in enumerate(rows) if place not in places]
    wrong = [row for row in mine if row.wrong]
    return WeakSlice(
        look=look,
        rows=len(mine),
        wrong=len(wrong),
        others=sum(_share(mine, kind) * _wrong_share(outside, kind) for kind in (True, False)),
        p_value=p_value,
        items=tuple(sorted((row.item_id for row in wrong), reverse=True)[:shown]),
        whys=whys_of(wrong),
        missed=next((label for label, _count in Counter(row.settled for row in wrong).most_common(1)), None),
    )


def whys_of(rows: Sequence[KnownRow]) -> dict[str, int]:
    """The reasons that people gave for wrong answers, with their counts, most frequent first."""
    return dict(Counter(row.why for row in rows if row.wrong and row.why).most_common())


def whys_by_label(rows: Sequence[KnownRow]) -> dict[str, dict[str, int]]:
    """The same as `whys_of`, by the label that the model gave, the label with most reasons first; labels without
    reasons are left out."""
    of_label: dict[str, list[KnownRow]] = defaultdict(list)
    for row in rows:
        of_label[row.label].append(row)
    whys = {label: found for label in sorted(of_label) if (found := whys_of(of_label[label]))}
    return dict(sorted(whys.items(), key=lambda one: -sum(one[1].values())))


def familiar_words(rows: Sequence[KnownRow]) -> list[int]:
    """Checksums of the words that are familiar among these rows, in ascending order. No word can be read from them."""
    known = Counter(word for row in rows for word in set(_words(row.text)))
    return sorted(_checksum(word) for word, count in known.items() if count >= FAMILIAR)


def is_inside(look: Look, row: KnownRow, familiar: Container[int] = ()) -> bool:
    """Whether a row is in a slice, by the same rule as `looks_of`. familiar: `familiar_words` of the rows in which the
    slice was found; only needed for a slice of strange words."""
    words = _words(row.text) if look.kind in (SliceKind.LENGTH, SliceKind.STRANGE_WORDS, SliceKind.TERM) else []
    match look.kind:
        case SliceKind.FIELD:
            return row.fields.get(look.name) == look.value
        case SliceKind.LABEL:
            return row.label == look.value
        case SliceKind.PAIR:
            return (row.label, row.second) == (look.value, look.other)
        case SliceKind.LENGTH:
            return bool(words) and str(_length(words)) == look.value
        case SliceKind.STRANGE_WORDS:
            return bool(words) and _is_strange(sum(_checksum(word) in familiar for word in words), words)
        case SliceKind.TERM:
            return look.value in words
        case _:
            assert_never(look.kind)


def _words(text: str) -> list[str]:
    return _WORD.findall(normalise(text))


def _length(words: Sequence[str]) -> int:
    return max(low for low in LENGTHS if low <= len(words))


def _is_strange(familiar: int, words: Sequence[str]) -> bool:
    return familiar < STRANGE * len(words)


def _checksum(word: str) -> int:
    return zlib.crc32(word.encode(errors="surrogatepass"))


def _share(rows: Sequence[KnownRow], reviewed: bool) -> float:
    return sum(row.reviewed is reviewed for row in rows) / len(rows)


def _wrong_share(rows: Sequence[KnownRow], reviewed: bool) -> float:
    mine = [row.wrong for row in rows if row.reviewed is reviewed]
    return sum(mine) / len(mine) if mine else 0.0
