"""Labelled data that a queue starts from; the content-hash split makes the first random golden stratum of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.database import insert
from core.errors import Invalid
from core.hashing import content_hash, unit_interval
from core.policy import QueuePolicy
from core.queues import queue_named
from core.records.learning import GoldenExample, SeedExample
from core.records.predictions import Prediction
from core.records.queues import Queue
from core.texts import storable
from core.vocabulary import Stratum


@dataclass(frozen=True)
class Seeded:
    """training, golden: rows stored now; repeated: texts that were there already."""

    training: int
    golden: int
    repeated: int


def add_seeds(
    session: Session, rows: Sequence[tuple[str, str]], now: datetime, policy: QueuePolicy, first_row: int = 1
) -> Seeded:
    """rows: (text, label), numbered from first_row in errors. Each text is stored once, as golden or for training,
    never both; which one depends on its content alone, so importing a file again (or one that overlaps) moves nothing
    across. What was erased does not come back. Raises Invalid for an unknown label or an empty text; then nothing is
    stored."""
    queue = queue_named(session, policy.name)
    rows = [(policy.privacy.stored(storable(text)), label) for text, label in rows]
    for position, (text, label) in enumerate(rows, first_row):
        if label not in policy.label_names:
            raise Invalid(
                f"Row {position}: “{label}” is not a label of {policy.name} in the policy file.", field="label"
            )
        if not text.strip():
            raise Invalid(f"Row {position}: the text is empty.", field="text")
    share = policy.golden.seed_share
    counts = {True: 0, False: 0}
    hashes = [content_hash(text) for text, _label in rows]
    erased = _erased(session, queue, hashes)
    for (text, label), digest in zip(rows, hashes, strict=True):
        if digest in erased:
            continue
        values = {"queue_id": queue.id, "text": text, "label": label, "content_hash": digest, "created_at": now}
        golden = unit_interval(digest, "seed golden") < share
        if golden:
            values |= {"stratum": Stratum.RANDOM, "inclusion_probability": share}
        stored = session.execute(
            insert(session, GoldenExample if golden else SeedExample)
            .values(values)
            .on_conflict_do_nothing(index_elements=["queue_id", "content_hash"])
            .returning(GoldenExample.id if golden else SeedExample.id)
        )
        counts[golden] += stored.scalar_one_or_none() is not None
    return Seeded(counts[False], counts[True], len(rows) - sum(counts.values()))


def _erased(session: Session, queue: Queue, hashes: Sequence[str]) -> set[str]:
    """Of these contents, those that a person had erased. Erased seeds need no look: their hash is still there."""
    return set(
        session.scalars(
            select(Prediction.content_hash).where(
                Prediction.queue_id == queue.id,
                Prediction.content_hash.in_(hashes),
                Prediction.erased_at.is_not(None),
            )
        )
    )
