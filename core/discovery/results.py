"""What the work on a scan gives, as plain values: no library is needed to read or store them."""

from dataclasses import dataclass

DIGITS = 6  # of a value; further ones differ between machines
LEAST_SHARE = 0.02  # of a label that is looked for, below which a text is not about it


@dataclass(frozen=True, order=True)
class Found:
    """A text in front. The smallest value comes first."""

    value: float
    content_hash: str
    external_id: str
    text: str


@dataclass(frozen=True)
class Reading:
    """A shard is being read: so many rows of it up to now."""

    position: int
    rows: int


@dataclass(frozen=True)
class Scored:
    """foreign: rows that were not ranked. known: rows that would be in front, and are known already."""

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
    """A selected text with what the model says: label to probability."""

    found: Found
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Selected:
    """picked: the best first. near_duplicates: texts that were left out as copies of a better one, or of a golden
    example. clusters: of all texts in front, near-duplicates apart."""

    picked: tuple[Picked, ...]
    near_duplicates: int
    clusters: tuple[Cluster, ...]
