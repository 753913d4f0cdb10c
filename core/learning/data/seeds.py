"""Seed data: the labelled examples that a queue starts with. A split by content hash makes some of them golden."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from core.errors import Invalid
from core.pictures.burned_in import require_no_burned_in_text
from core.pictures.decoding import Decoded
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

_SAME, _KEY = ("queue_id", "created_at"), ("queue_id", "content_hash")
_EACH = ("text", "image_url", "label", "content_hash")
TRAINING = Bulk(cast(Table, SeedExample.__table__), _SAME, _EACH, _KEY)
GOLDEN = Bulk(
    cast(Table, GoldenExample.__table__),
    (*_SAME, "stratum", "origin", "inclusion_probability", "fields", "label_as_of"),
    _EACH,
    _KEY,
)


@dataclass(frozen=True)
class Seed:
    """A labelled example to store: a text, or a picture by the address that it will be stored under."""

    text: str
    label: str
    content_hash: str
    image_url: str | None = None


@dataclass(frozen=True)
class Seeded:
    """training, golden: rows stored now; repeated: rows already stored."""

    training: int
    golden: int
    repeated: int


def checked_seeds(rows: Iterable[tuple[str, str]], policy: QueuePolicy) -> list[Seed]:
    """Validate rows of (text, label), numbered from 1 in errors. Raises Invalid for an unknown label or an empty text;
    nothing is stored then."""
    return [_checked(number, text, label, policy) for number, (text, label) in enumerate(rows, 1)]


def checked_picture_seeds(rows: Iterable[tuple[Decoded, str]], policy: QueuePolicy) -> list[Seed]:
    """The same of rows of (picture, label)."""
    return [_checked_picture(number, picture, label, policy) for number, (picture, label) in enumerate(rows, 1)]


def store_seeds(
    session: Session, seeds: Sequence[Seed], now: datetime, policy: QueuePolicy, pictures: Iterable[Decoded] = ()
) -> Seeded:
    """Store each text or picture once, as golden or for training, never both. Which one depends on its content alone,
    so importing a file again, an overlapping one or the rest of it later moves nothing across. What was erased stays
    erased. pictures: those that the seeds refer to."""
    queue, share = queue_to_fill(session, policy.name), policy.golden.seed_share
    erased = erased_hashes(session, queue, [seed.content_hash for seed in seeds])
    store_pictures(session, queue, pictures_of(seeds, pictures, erased), now)
    sides: dict[bool, list[dict[str, str | None]]] = {True: [], False: []}
    for seed in seeds:
        if seed.content_hash not in erased:
            sides[unit_interval(seed.content_hash, "seed golden") < share].append(vars(seed))
    same = {"queue_id": queue.id, "created_at": now}
    as_golden = {"stratum": Stratum.RANDOM, "origin": Origin.SEED, "inclusion_probability": share}
    as_golden |= {"fields": {}, "label_as_of": 0}
    golden = insert_all(session, GOLDEN, same | as_golden, sides[True])
    training = insert_all(session, TRAINING, same, sides[False])
    return Seeded(training, golden, len(seeds) - training - golden)


def add_seeds(session: Session, rows: Iterable[tuple[str, str]], now: datetime, policy: QueuePolicy) -> Seeded:
    """Validate and store rows in one transaction. If a row is invalid, nothing is stored."""
    return store_seeds(session, checked_seeds(rows, policy), now, policy)


def pictures_of(seeds: Sequence[Seed], pictures: Iterable[Decoded], left_out: Collection[str]) -> list[Decoded]:
    """Those of the pictures that seeds refer to. left_out: content hashes of seeds that are not stored."""
    wanted = {seed.image_url for seed in seeds if seed.content_hash not in left_out}
    return [picture for picture in pictures if picture_address(picture.sha256) in wanted]


def _checked_picture(number: int, picture: Decoded, label: str, policy: QueuePolicy) -> Seed:
    _require_label(number, label, policy)
    require_no_burned_in_text(picture, policy)
    address = picture_address(picture.sha256)
    return Seed("", label, content_hash("", address), address)


def _require_label(number: int, label: str, policy: QueuePolicy) -> None:
    if label not in policy.label_names:
        words = f"Row {number}: “{label}” is not a label of {policy.name}. {NONE_STORED}"
        raise Invalid(words, field="label")


def _checked(number: int, text: str, label: str, policy: QueuePolicy) -> Seed:
    text = policy.privacy.stored(storable(text))
    _require_label(number, label, policy)
    if not text.strip():
        raise Invalid(f"Row {number}: the text is empty. {NONE_STORED}", field="text")
    return Seed(text, label, content_hash(text))


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
