"""A paused queue: its new items wait without a card. Predictions are still stored and flagged, and posted cards can be
answered and are redrawn. After the pause, the waiting cards are posted."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from core.queues import queue_named
from core.records.delivery import Posting
from core.records.queues import Queue
from core.vocabulary import Card


def pause_queue(session: Session, name: str, now: datetime) -> bool:
    """Pause the queue. False: it was paused already, so nothing changes. Locks its row. Raises NotFound."""
    queue = _locked(session, name)
    if queue.paused_at is not None:
        return False
    queue.paused_at = now
    return True


def resume_queue(session: Session, name: str) -> bool:
    """Resume the queue. False: it was not paused. Locks its row. Raises NotFound."""
    queue = _locked(session, name)
    was_paused = queue.paused_at is not None
    queue.paused_at = None
    return was_paused


def waits_for_resume() -> ColumnElement[bool]:
    """Whether a `Posting` is a card that is not to be posted while its queue is paused."""
    paused = select(Queue.id).where(Queue.paused_at.is_not(None))
    return and_(Posting.card == Card.REVIEW_ITEM, Posting.ts.is_(None), Posting.queue_id.in_(paused))


def _locked(session: Session, name: str) -> Queue:
    queue = queue_named(session, name)
    session.refresh(queue, with_for_update={"key_share": True})
    return queue
