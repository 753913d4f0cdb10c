"""The sample of a batch: the texts that the guards kept are stored, and people are asked about some of them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from core.learning.lifecycle.presenting import batch_changed
from core.policy import QueuePolicy
from core.queues import queue_to_fill
from core.records.synthetic import SyntheticBatch, SyntheticText
from core.review.items import open_about_written
from core.synthesis.admission import sample_size
from core.synthesis.batches import BatchOver, end_batch, locked_batch
from core.synthesis.guards import Guarded, Judged
from core.synthesis.requests import readers
from core.text.content_hash import unit_interval
from core.vocabulary import BatchProblem, Coded, SyntheticState


def finish_batch(session: Session, batch_id: int, found: Guarded, policy: QueuePolicy, now: datetime) -> None:
    """Store the verdicts of the guards, and ask people about a sample of the texts that they kept; or refuse the batch.
    Shares the queue's row, and locks the batch. Raises BatchOver, and Refusal if no reviewer is left to ask."""
    queue = queue_to_fill(session, policy.name)
    batch = locked_batch(session, batch_id)
    if batch.state is not SyntheticState.REQUESTED:
        raise BatchOver(batch_id)
    sample = [] if found.knows_the_golden_set else _sample(found.kept, batch_id)
    counts = {"written": found.written, "kept": len(found.kept), "asked": len(sample), "settled": 0, "confirmed": 0}
    batch.counts = counts | {str(guard): number for guard, number in found.counts.items()}
    batch.written_at = now
    rows = [_text_row(batch, one, keep=bool(sample)) for one in found.texts]
    session.add_all(rows)
    session.flush()
    if sample:
        batch.state = SyntheticState.SAMPLED
        chosen = {one.content_hash for one in sample}
        ids = [row.id for row in rows if row.content_hash in chosen]
        open_about_written(session, ids, readers(session, queue, policy, batch.language), queue, now)
    elif found.knows_the_golden_set:
        leaks = {"leaks": batch.counts["golden_leak"], "written": found.written}
        end_batch(batch, SyntheticState.REFUSED, Coded(BatchProblem.GOLDEN_LEAK, leaks), now)
    else:
        end_batch(batch, SyntheticState.REFUSED, Coded(BatchProblem.NOTHING_LEFT, {"written": found.written}), now)
    session.flush()
    batch_changed(session, batch_id, now, urgent=True)


def _sample(kept: Sequence[Judged], batch_id: int) -> list[Judged]:
    drawn = sorted(kept, key=lambda one: unit_interval(one.content_hash, f"synthetic {batch_id}"))
    return drawn[: sample_size(len(kept))]


def _text_row(batch: SyntheticBatch, one: Judged, keep: bool) -> SyntheticText:
    return SyntheticText(
        batch_id=batch.id, queue_id=batch.queue_id, text=one.text if keep and one.dropped is None else "",
        content_hash=one.content_hash, dropped_because=one.dropped or "",
    )  # fmt: skip
