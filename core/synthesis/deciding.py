"""The decision about a batch: people are asked about a sample of it, and it is admitted or refused as a whole."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.learning.lifecycle.presenting import batch_changed
from core.policy import QueuePolicy
from core.queues import queue_named
from core.records.reviews import Correction, ReviewItem
from core.records.synthetic import SyntheticBatch, SyntheticText
from core.synthesis.admission import admits
from core.synthesis.batches import close_items, end_batch, locked_batch, locked_sample
from core.vocabulary import BatchProblem, Coded, Guard, SyntheticState


def decide_batches(session: Session, policy: QueuePolicy, now: datetime) -> SyntheticState | None:
    """Count the answers about the queue's batch, and admit or refuse it. Returns its state then; None: it is not
    decided yet, or there is none. Locks the items, then the batch. Repeating it is safe.

    The batch is admitted when all items of the sample are settled, and as many of them with its label as `admits`
    demands; the others are dropped. It is refused as soon as that cannot be reached any more; items that are still open
    are closed.
    """
    batch_id = _sampled(session, policy)
    if batch_id is None:
        return None
    items = locked_sample(session, batch_id)
    batch = locked_batch(session, batch_id)
    if batch.state is not SyntheticState.SAMPLED:
        return None
    labels = _settled_labels(session, items)
    confirmed = sum(label == batch.label for label in labels.values())
    counts = batch.counts | {"settled": len(labels), "confirmed": confirmed}
    if counts == batch.counts:
        return None
    batch.counts = counts
    if not admits(len(items) - len(labels) + confirmed, len(items)):
        problem = Coded(BatchProblem.NOT_CONFIRMED, {"confirmed": confirmed, "asked": len(labels)})
        close_items(session, items, now)
        end_batch(batch, SyntheticState.REFUSED, problem, now)
    elif len(labels) == len(items):
        _drop(session, [item for item in items if labels[item.id] != batch.label])
        end_batch(batch, SyntheticState.ADMITTED, None, now)
    session.flush()
    batch_changed(session, batch_id, now, urgent=batch.state.is_over)
    return batch.state if batch.state.is_over else None


def _sampled(session: Session, policy: QueuePolicy) -> int | None:
    queue = queue_named(session, policy.name)
    mine = (SyntheticBatch.queue_id == queue.id, SyntheticBatch.state == SyntheticState.SAMPLED)
    return session.scalar(select(SyntheticBatch.id).where(*mine))


def _settled_labels(session: Session, items: Sequence[ReviewItem]) -> Mapping[int, str | None]:
    """The settled label by item; None: no label fits."""
    found = select(Correction.item_id, Correction.label).where(
        Correction.item_id.in_([item.id for item in items]), Correction.is_current
    )
    return dict(session.execute(found).all())


def _drop(session: Session, items: Sequence[ReviewItem]) -> None:
    """Empty the texts that people did not confirm."""
    ids = [item.synthetic_id for item in items]
    gone = update(SyntheticText).where(SyntheticText.id.in_(ids))
    session.execute(gone.values(dropped_because=Guard.NOT_CONFIRMED, text=""))
