"""The kinds of events received from Slack, with the last time: the only sign of the app's subscriptions."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.records.events import ReceivedEvent
from core.storage.database import insert


def note_received(session: Session, kind: str, now: datetime) -> None:
    """Store that an event of this kind was received: one row per kind."""
    new = insert(session, ReceivedEvent).values(kind=kind, last_at=now)
    session.execute(new.on_conflict_do_update(index_elements=["kind"], set_={"last_at": now}))


def last_received(session: Session) -> dict[str, datetime]:
    return {row.kind: row.last_at for row in session.scalars(select(ReceivedEvent))}
