"""Seed data: the labelled examples that a queue starts with. A split by content hash makes some of them golden."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from core.errors import Invalid
from core.policy import QueuePolicy
from core.queues import queue_to_fill
from core.records.learning import GoldenExample, SeedExample
from core.records.predictions import Prediction
from core.records.queues import Queue
from core.storage.bulk import Bulk, insert_all
from core.text.content_hash import content_hash, unit_interval
from core.text.storable import storable
from core.vocabulary import Origin, Stratum

NONE_STORED = "No rows were stored."

_SAME, _EACH, _KEY = ("queue_id", "created_at"), ("text", "label", "content_hash"), ("queue_id", "content_hash")
TRAINING = Bulk(cast(Table, SeedExample.__table__), _SAME, _EACH, _KEY)
GOLDEN = Bulk(
    cast(Table, GoldenExample.__table__),
    (*_SAME, "stratum", "origin", "inclusion_probability", "fields", "label_as_of"),
    _EACH,
    _KEY,
)


@dataclass(frozen=True)
class Seed:
    """A labelled example to store."""

    text: str
    label: str
    content_hash: str


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


def store_seeds(session: Session, seeds: Sequence[Seed], now: datetime, policy: QueuePolicy) -> Seeded:
    """Store each text once, as golden or for training, never both. Which one depends on its content alone, so importing
    a file again, an overlapping one or the rest of it later moves nothing across. Erased texts stay erased."""
    queue, share = queue_to_fill(session, policy.name), policy.golden.seed_share
    erased = erased_hashes(session, queue, [seed.content_hash for seed in seeds])
    sides: dict[bool, list[dict[str, str]]] = {True: [], False: []}
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


def _checked(number: int, text: str, label: str, policy: QueuePolicy) -> Seed:
    text = policy.privacy.stored(storable(text))
    if label not in policy.label_names:
        words = f"Row {number}: “{label}” is not a label of {policy.name}. {NONE_STORED}"
        raise Invalid(words, field="label")
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
