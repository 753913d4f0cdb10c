"""What people say about themselves: whether they want to be asked now."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.database import insert
from core.records.reviews import Reviewer


def pause(session: Session, person: str, now: datetime) -> None:
    """This person is not counted as somebody left to ask until they resume; a vote of theirs still counts."""
    row = locked_reviewer(session, person)
    row.paused_at = row.paused_at or now


def resume(session: Session, person: str) -> None:
    locked_reviewer(session, person).paused_at = None


def locked_reviewer(session: Session, person: str) -> Reviewer:
    """The person's row, made on first use. Locking it makes the person's own clicks wait for one another."""
    session.execute(insert(session, Reviewer).values(person=person).on_conflict_do_nothing(index_elements=["person"]))
    return session.get_one(Reviewer, person, with_for_update=True, populate_existing=True)
