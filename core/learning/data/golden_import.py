"""Golden examples from an imported test set, or added one by one by a lead. Content that was used for training is
refused: a model may have memorised it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from core.errors import Invalid, Refusal
from core.learning.data.golden_changes import note_change, require_lead, require_reason
from core.learning.data.seeds import Seed, checked_seeds, erased_hashes
from core.pictures.decoded import Decoded
from core.pictures.stored import store_pictures
from core.policy import QueuePolicy
from core.queues import queue_to_fill
from core.records.learning import GoldenExample, SeedExample, Snapshot, SnapshotRow
from core.records.predictions import Prediction
from core.records.queues import Queue
from core.records.reviews import Correction, ReviewItem
from core.storage.bulk import Bulk, insert_returning
from core.vocabulary import Destination, GoldenChangeKind, Origin, Stratum

_SAME = ("queue_id", "created_at", "stratum", "origin", "inclusion_probability", "fields", "label_as_of")
EXAMPLES = Bulk(
    cast(Table, GoldenExample.__table__),
    same=_SAME,
    each=("text", "image_url", "group", "label", "content_hash"),
    key=("queue_id", "content_hash"),
    back=("id",),
)


@dataclass(frozen=True)
class Imported:
    """Counts of an import. new: stored now; repeated: golden already, or twice in the file; training: left out, since
    the content trains or has trained; erased: left out, since it was erased on request."""

    new: int
    repeated: int
    training: int
    erased: int

    def plus(self, other: "Imported") -> "Imported":
        return Imported(
            *(mine + theirs for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True))
        )


def import_golden(
    session: Session, examples: Sequence[Seed], now: datetime, policy: QueuePolicy, pictures: Iterable[Decoded] = ()
) -> Imported:
    """Store checked examples (`checked_seeds`) as random golden ones of origin `imported`. Safe to repeat. pictures:
    those that the examples refer to."""
    queue = queue_to_fill(session, policy.name)
    hashes = [example.content_hash for example in examples]
    erased = erased_hashes(session, queue, hashes)
    training = trained_hashes(session, queue, hashes) - erased
    free = [example for example in examples if example.content_hash not in erased | training]
    store_pictures(session, queue, {example.image_url for example in free}, pictures, now)
    new = len(_insert(session, queue, free, Stratum.RANDOM, Origin.IMPORTED, 1.0, now))
    known = [sum(example.content_hash in kept for example in examples) for kept in (training, erased)]
    return Imported(new, len(free) - new, *known)


def add_golden(
    session: Session, text: str, label: str, person: str, reason: str, now: datetime, policy: QueuePolicy
) -> int:
    """Add one example for a lead; returns its id. It was chosen and not drawn, so it counts with the past errors.
    Raises NotAllowed if the person is no lead, Invalid for an unknown label, an empty text or no reason, and Refusal if
    the content is golden already, trains or has trained, or was erased.
    """
    queue = queue_to_fill(session, policy.name)
    require_lead(session, queue, person, policy)
    require_reason(reason)
    if label not in policy.label_names:
        raise Invalid(f"“{label}” is not a label of {policy.shown_title}.", field="label")
    if not text.strip():
        raise Invalid("The text is empty.", field="text")
    [example] = checked_seeds([(text, label)], policy)
    if erased_hashes(session, queue, [example.content_hash]):
        raise Refusal("This text was erased on request, so it can't become a golden example.")
    if trained_hashes(session, queue, [example.content_hash]):
        raise Refusal("This text is used for training, so it can't become a golden example.")
    added = _insert(session, queue, [example], Stratum.PAST_ERROR, Origin.ADDED, 0.0, now)
    if not added:
        raise Refusal("This text is a golden example already.")
    note_change(session, added[0], GoldenChangeKind.ADDED, person, reason, now)
    return added[0]


def trained_hashes(session: Session, queue: Queue, hashes: Iterable[str]) -> set[str]:
    """Which of these contents train, or have trained a model of the queue."""
    wanted = list(hashes)
    seeds = select(SeedExample.content_hash).where(
        SeedExample.queue_id == queue.id, SeedExample.content_hash.in_(wanted), SeedExample.erased_at.is_(None)
    )
    snapshots = (
        select(SnapshotRow.content_hash)
        .join(Snapshot, Snapshot.id == SnapshotRow.snapshot_id)
        .where(Snapshot.queue_id == queue.id, SnapshotRow.content_hash.in_(wanted))
    )
    corrections = (
        select(Prediction.content_hash)
        .join(ReviewItem, ReviewItem.prediction_id == Prediction.id)
        .join(Correction, Correction.item_id == ReviewItem.id)
        .where(Correction.queue_id == queue.id, Correction.is_current, Correction.destination == Destination.TRAINING)
        .where(Prediction.content_hash.in_(wanted))
    )
    return {digest for found in (seeds, snapshots, corrections) for digest in session.scalars(found)}


def _insert(
    session: Session,
    queue: Queue,
    examples: Sequence[Seed],
    stratum: Stratum,
    origin: Origin,
    probability: float,
    now: datetime,
) -> list[int]:
    """Insert the examples. Returns the ids of those that were not golden yet."""
    same: dict[str, Any] = {"queue_id": queue.id, "created_at": now, "stratum": stratum, "origin": origin}
    same |= {"inclusion_probability": probability, "fields": {}, "label_as_of": 0}
    return [row[0] for row in insert_returning(session, EXAMPLES, same, [vars(example) for example in examples])]
