"""The results of the work on a scan, as plain values: no library is needed to read or store them."""

from dataclasses import dataclass

DIGITS = 6  # digits of a value; further ones differ between machines
LEAST_SHARE = 0.02  # with a smaller probability of the wanted label, a text is not about it


@dataclass(frozen=True, order=True)
class Found:
    """A top-ranked text. The smallest value comes first."""

    value: float
    content_hash: str
    external_id: str
    text: str


@dataclass(frozen=True)
class Reading:
    """The progress in a shard. rows: those read up to now."""

    position: int
    rows: int


@dataclass(frozen=True)
class Scored:
    """The result of a shard. foreign: rows that were not ranked. known: rows that would be top-ranked, but that the
    queue already has."""

    position: int
    rows: int
    foreign: int
    known: int
    top: tuple[Found, ...]


@dataclass(frozen=True)
class Unread:
    """A shard that could not be read. problem: a sentence."""

    position: int
    problem: str


Result = Scored | Unread


@dataclass(frozen=True)
class Cluster:
    texts: int
    words: tuple[str, ...]


@dataclass(frozen=True)
class Picked:
    """A selected text, and its probabilities by label."""

    found: Found
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Selected:
    """The selection. picked: the best first. near_duplicates: texts that were left out as copies of one ranked before,
    or of a golden example. clusters: those of all other top-ranked texts."""

    picked: tuple[Picked, ...]
    near_duplicates: int
    clusters: tuple[Cluster, ...]
