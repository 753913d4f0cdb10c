"""Erasures after a restore: a backup holds the texts that were erased since it was made."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.privacy.erasure import erase
from core.records.predictions import Prediction
from core.records.queues import Queue

PIECE = 500  # external ids asked about at once

Erased = tuple[str, str]  # the queue's name and an external id


def erased_inputs(session: Session) -> list[Erased]:
    """Everything that was erased, on request or by retention."""
    found = (
        select(Queue.name, Prediction.external_id)
        .join(Queue, Queue.id == Prediction.queue_id)
        .where(Prediction.erased_at.is_not(None))
        .distinct()
        .order_by(Queue.name, Prediction.external_id)
    )
    return [(queue, external_id) for queue, external_id in session.execute(found)]


def erase_again(session: Session, erased: Sequence[Erased], now: datetime) -> int:
    """Erase those whose text is here, as `erase` does. Returns how many external ids these were."""
    there = list(_there(session, erased))
    for queue, external_id in there:
        erase(session, queue, external_id, now)
    return len(there)


def _there(session: Session, erased: Sequence[Erased]) -> Iterator[Erased]:
    for start in range(0, len(erased), PIECE):
        some = set(erased[start : start + PIECE])
        found = (
            select(Queue.name, Prediction.external_id)
            .join(Queue, Queue.id == Prediction.queue_id)
            .where(Prediction.external_id.in_({external_id for _queue, external_id in some}))
            .where(Prediction.erased_at.is_(None))
            .distinct()
        )
        yield from sorted(some.intersection((queue, external_id) for queue, external_id in session.execute(found)))
