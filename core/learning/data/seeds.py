"""Seed data: the labelled examples that a queue starts with. A split by content hash makes some of them golden."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from core.errors import Invalid
from core.pictures.burned_in import require_no_burned_in_text
from core.pictures.decoded import Decoded
from core.pictures.stored import store_pictures
from core.policy import QueuePolicy
from core.queues import queue_to_fill
from core.records.learning import GoldenExample, SeedExample
from core.records.predictions import Prediction
from core.records.queues import Queue
from core.storage.bulk import Bulk, insert_all
from core.text.content_hash import content_hash, unit_interval
from core.text.picture_address import picture_address
from core.text.storable import storable
from core.vocabulary import Origin, Stratum

NONE_STORED = "No rows were stored."
LONGEST_GROUP = 200  # characters

Groups = Iterable[str | None]

_SAME, _KEY = ("queue_id", "created_at"), ("queue_id", "content_hash")
_EACH = ("text", "image_url", "group", "label", "content_hash")
TRAINING = Bulk(cast(Table, SeedExample.__table__), _SAME, _EACH, _KEY)
GOLDEN = Bulk(
    cast(Table, GoldenExample.__table__),
    (*_SAME, "stratum", "origin", "inclusion_probability", "fields", "label_as_of"),
    _EACH,
    _KEY,
)


@dataclass(frozen=True)
class Seed:
    """A labelled example to store: a text, or the address under which its pictures will be stored. group: the source,
    such as a patient."""

    text: str
    label: str
    content_hash: str
    image_url: str | None = None
    group: str | None = None

    @property
    def drawn_by(self) -> str:
        """The key of the draw that makes an example golden: the group, whose inputs become golden together, or else the
        content."""
        return f"group {self.group}" if self.group else self.content_hash


@dataclass(frozen=True)
class Seeded:
    """Counts of an import. training, golden: rows stored now; repeated: rows stored already."""

    training: int
    golden: int
    repeated: int


def checked_seeds(rows: Iterable[tuple[str, str]], policy: QueuePolicy, groups: Groups = ()) -> list[Seed]:
    """Validate rows of (text, label), numbered from 1 in errors. groups: per row, its group or None; empty: no row has
    one. Raises Invalid for an unknown label, an empty text or a bad group; nothing is stored then."""
    numbered = enumerate(zip_longest(rows, groups), 1)
    return [_checked(number, text, label, group, policy) for number, ((text, label), group) in numbered]


def checked_picture_seeds(
    rows: Iterable[tuple[Decoded | Sequence[Decoded], str]], policy: QueuePolicy, groups: Groups = ()
) -> list[Seed]:
    """The same as `checked_seeds` for rows of (picture, label), or of (pictures, label)."""
    numbered = enumerate(zip_longest(rows, groups), 1)
    return [_checked_picture(number, seen, label, group, policy) for number, ((seen, label), group) in numbered]


def store_seeds(
    session: Session, seeds: Sequence[Seed], now: datetime, policy: QueuePolicy, pictures: Iterable[Decoded] = ()
) -> Seeded:
    """Store each text or picture once, as golden or for training, never both. The split depends only on the content, so
    importing a file again, an overlapping file or the rest of a file moves no row across. Erased rows stay erased.
    pictures: those that the seeds refer to."""
    queue, share = queue_to_fill(session, policy.name), policy.golden.seed_share
    erased = erased_hashes(session, queue, [seed.content_hash for seed in seeds])
    kept = [seed for seed in seeds if seed.content_hash not in erased]
    store_pictures(session, queue, {seed.image_url for seed in kept}, pictures, now)
    sides: dict[bool, list[dict[str, str | None]]] = {True: [], False: []}
    for seed in kept:
        sides[unit_interval(seed.drawn_by, "seed golden") < share].append(vars(seed))
    same = {"queue_id": queue.id, "created_at": now}
    as_golden = {"stratum": Stratum.RANDOM, "origin": Origin.SEED, "inclusion_probability": share}
    as_golden |= {"fields": {}, "label_as_of": 0}
    golden = insert_all(session, GOLDEN, same | as_golden, sides[True])
    training = insert_all(session, TRAINING, same, sides[False])
    return Seeded(training, golden, len(seeds) - training - golden)


def add_seeds(session: Session, rows: Iterable[tuple[str, str]], now: datetime, policy: QueuePolicy) -> Seeded:
    """Validate and store rows in one transaction. If a row is invalid, nothing is stored."""
    return store_seeds(session, checked_seeds(rows, policy), now, policy)


def _checked_picture(
    number: int, seen: Decoded | Sequence[Decoded], label: str, group: str | None, policy: QueuePolicy
) -> Seed:
    _require_label(number, label, policy)
    pictures = (seen,) if isinstance(seen, Decoded) else seen
    for picture in pictures:
        require_no_burned_in_text(picture, policy)
    address = picture_address(*dict.fromkeys(picture.sha256 for picture in pictures))
    return Seed("", label, content_hash("", address), address, _group(number, group))


def _group(number: int, group: str | None) -> str | None:
    if group is not None and (len(group) > LONGEST_GROUP or group != storable(group)):
        raise Invalid(f"Row {number}: group must have 1 to {LONGEST_GROUP} characters. {NONE_STORED}", field="group")
    return group.strip() or None if group else None


def _require_label(number: int, label: str, policy: QueuePolicy) -> None:
    if label not in policy.label_names:
        words = f"Row {number}: “{label}” is not a label of {policy.name}. {NONE_STORED}"
        raise Invalid(words, field="label")


def _checked(number: int, text: str, label: str, group: str | None, policy: QueuePolicy) -> Seed:
    text = policy.privacy.stored(storable(text))
    _require_label(number, label, policy)
    if not text.strip():
        raise Invalid(f"Row {number}: the text is empty. {NONE_STORED}", field="text")
    return Seed(text, label, content_hash(text), None, _group(number, group))


def erased_hashes(session: Session, queue: Queue, hashes: Sequence[str]) -> set[str]:
    """The hashes whose prediction was erased. Erased examples are not looked up: their hash is still stored."""
    return set(
        session.scalars(
            select(Prediction.content_hash).where(
                Prediction.queue_id == queue.id,
                Prediction.content_hash.in_(hashes),
                Prediction.erased_at.is_not(None),
            )
        )
    )
