"""The instructions of a queue: a changed text is the next version, and votes store the one they were cast under."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.records.queues import Guideline, Queue


def sync_guideline(session: Session, queue: Queue, wanted: str, now: datetime) -> None:
    if queue.guideline_version and guideline_text(session, queue) == wanted:
        return
    queue.guideline_version = (queue.guideline_version or 0) + 1
    session.add(Guideline(queue_id=queue.id, version=queue.guideline_version, text=wanted, created_at=now))
    session.flush()


def guideline_text(session: Session, queue: Queue) -> str:
    found = session.scalar(
        select(Guideline.text).where(Guideline.queue_id == queue.id, Guideline.version == queue.guideline_version)
    )
    return found or ""
