"""Labels outside the policy, counted by name: those of rejected predictions, and those of what is stored."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from core.policy import QueuePolicy
from core.queues import queue_named, queue_to_fill
from core.records.learning import GoldenExample, SeedExample
from core.records.predictions import UnknownLabel
from core.records.reviews import Correction
from core.storage.database import insert

MOST_LABELS = 100  # per queue; a file whose columns are mixed up has as many as rows


def count_unknown_labels(session: Session, counts: Mapping[str, int], now: datetime, policy: QueuePolicy) -> None:
    """Count rejected predictions by their labels (label -> rows). Beyond the number of labels that are kept, further
    labels are not counted. Repeating it counts them again: rows that are rejected twice were sent twice."""
    if not counts:
        return
    queue = queue_to_fill(session, policy.name)
    labels = {policy.privacy.stored(label): count for label, count in counts.items()}
    known = set(session.scalars(select(UnknownLabel.label).where(UnknownLabel.queue_id == queue.id)))
    kept = known | {*sorted({*labels} - known)[: max(0, MOST_LABELS - len(known))]}
    for label in sorted(kept & {*labels}):  # in one order, so that two senders do not wait for each other
        new = insert(session, UnknownLabel).values(queue_id=queue.id, label=label, rows=labels[label], last_at=now)
        grown = {"rows": UnknownLabel.rows + new.excluded.rows, "last_at": now}
        session.execute(new.on_conflict_do_update(index_elements=["queue_id", "label"], set_=grown))


def unknown_labels(session: Session, policy: QueuePolicy) -> dict[str, int]:
    """Rejected predictions by label, most first, without labels that have joined the policy since."""
    queue = queue_named(session, policy.name)
    rows = session.execute(select(UnknownLabel.label, UnknownLabel.rows).where(UnknownLabel.queue_id == queue.id))
    return _outside(Counter(dict(rows.all())), policy)


def stored_unknown_labels(session: Session, policy: QueuePolicy) -> dict[str, int]:
    """Seed examples, golden examples and current corrections whose label has left the policy, by label, most first.
    They neither train nor measure."""
    queue_id = queue_named(session, policy.name).id
    counts: Counter[str] = Counter()
    for found in (
        _by_label(SeedExample).where(SeedExample.queue_id == queue_id, SeedExample.erased_at.is_(None)),
        _by_label(GoldenExample).where(
            GoldenExample.queue_id == queue_id, GoldenExample.erased_at.is_(None), GoldenExample.withdrawn_at.is_(None)
        ),
        _by_label(Correction).where(
            Correction.queue_id == queue_id, Correction.is_current, Correction.label.is_not(None)
        ),
    ):
        counts.update(dict(session.execute(found).all()))
    return _outside(counts, policy)


def _by_label(record: type[SeedExample] | type[GoldenExample] | type[Correction]) -> Select[str, int]:
    label: Any = record.label  # of a correction it may be None; these are left out
    return select(label, func.count()).group_by(label)


def _outside(counts: Counter[str], policy: QueuePolicy) -> dict[str, int]:
    return {label: count for label, count in counts.most_common() if label not in policy.label_named}
