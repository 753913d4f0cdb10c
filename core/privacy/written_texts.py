"""Erasure of what a language model wrote from a text that is erased.

Such texts are about what the text was about, in other words, and may repeat its names. Which of a prompt's examples a
text came from cannot be told, so all that was written with the erased text in the prompt goes, with the answers as they
came. A batch with a text of the very same content goes too. The hashes stay: they say that the text was sent, and
where."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.learning.lifecycle.presenting import batch_changed
from core.records.learning import SnapshotRow
from core.records.synthetic import SyntheticBatch, SyntheticCall, SyntheticText
from core.vocabulary import BatchProblem, Source, SyntheticState

NEVER_TRAINED = (SyntheticState.REFUSED, SyntheticState.FAILED, SyntheticState.RETIRED)


def batches_written_from(session: Session, queue_id: int, hashes: Collection[str]) -> list[int]:
    """Ids of the queue's batches with one of these contents in a prompt, or among their texts."""
    wanted = set(hashes)
    calls = select(SyntheticCall.batch_id, SyntheticCall.sent).join(
        SyntheticBatch, SyntheticBatch.id == SyntheticCall.batch_id
    )
    sent = session.execute(calls.where(SyntheticBatch.queue_id == queue_id))
    found = {batch_id for batch_id, one in sent if wanted & set(one["hashes"])}
    same = (SyntheticText.queue_id == queue_id, SyntheticText.content_hash.in_(hashes))
    return sorted(found | set(session.scalars(select(SyntheticText.batch_id).where(*same))))


def texts_of(session: Session, batch_ids: Collection[int]) -> Sequence[int]:
    """Ids of these batches' texts, in order."""
    found = select(SyntheticText.id).where(SyntheticText.batch_id.in_(batch_ids)).order_by(SyntheticText.id)
    return session.scalars(found).all()


def erase_batches(session: Session, batch_ids: Collection[int], now: datetime) -> int:
    """Empty the texts and answers of these batches, and retire those that wait or train. Locks the batches; the caller
    holds the items about their texts. Returns how many texts had a content. Repeating it finds none."""
    locked = select(SyntheticBatch).where(SyntheticBatch.id.in_(batch_ids)).order_by(SyntheticBatch.id)
    for batch in session.scalars(locked.with_for_update(of=SyntheticBatch)):
        if not batch.state.is_over or batch.state is SyntheticState.ADMITTED:
            batch.state, batch.decided_at = SyntheticState.RETIRED, now
            batch.problem, batch.problem_values = BatchProblem.ERASED, {}
        batch_changed(session, batch.id, now, urgent=True)
    session.flush()
    session.execute(update(SyntheticCall).where(SyntheticCall.batch_id.in_(batch_ids)).values(answer=""))
    mine = (SyntheticText.batch_id.in_(batch_ids), SyntheticText.erased_at.is_(None))
    had = len(session.scalars(select(SyntheticText.id).where(*mine, SyntheticText.text != "")).all())
    session.execute(update(SyntheticText).where(*mine).values(text="", erased_at=now))
    return had


def expire_written(session: Session, queue_id: int, before: datetime) -> None:
    """Retention: of batches that were decided before then, empty the answers, and the texts that never trained."""
    old = select(SyntheticBatch.id).where(SyntheticBatch.queue_id == queue_id, SyntheticBatch.decided_at < before)
    answers = SyntheticCall.batch_id.in_(old), SyntheticCall.answer != ""
    session.execute(update(SyntheticCall).where(*answers).values(answer=""))
    trained = select(SnapshotRow.source_id).where(SnapshotRow.source == Source.SYNTHETIC)
    never = SyntheticText.batch_id.in_(old.where(SyntheticBatch.state.in_(NEVER_TRAINED)))
    unused = (never, SyntheticText.text != "", SyntheticText.id.not_in(trained))
    session.execute(update(SyntheticText).where(*unused).values(text=""))
