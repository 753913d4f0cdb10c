"""What reviewers say about themselves: whether they want to be asked now."""

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from core.database import insert
from core.queues import require_anywhere
from core.records.reviews import Reviewer
from core.vocabulary import Role

_LOCKED = (
    select(Reviewer)
    .where(Reviewer.person == bindparam("person"))
    .with_for_update()
    .execution_options(populate_existing=True)
)  # built once: each vote asks it


def pause(session: Session, person: str, now: datetime) -> None:
    """This person is not counted as somebody left to ask until they resume; a vote of theirs still counts. Raises
    NotAllowed for those who review nowhere. Safe to repeat, as `resume` is."""
    require_anywhere(session, Role.REVIEWER, person, "pause")
    row = locked_reviewer(session, person)
    row.paused_at = row.paused_at or now


def resume(session: Session, person: str) -> None:
    require_anywhere(session, Role.REVIEWER, person, "resume")
    locked_reviewer(session, person).paused_at = None


def locked_reviewer(session: Session, person: str) -> Reviewer:
    """The person's row, made on first use. Locking it makes the person's own clicks wait for one another."""
    row = session.scalar(_LOCKED, {"person": person})
    if row is not None:
        return row
    session.execute(insert(session, Reviewer).values(person=person).on_conflict_do_nothing(index_elements=["person"]))
    return session.scalars(_LOCKED, {"person": person}).one()
