"""Availability of reviewers: they pause and resume by themselves."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.people.permissions import require_anywhere
from core.records.reviews import Reviewer
from core.storage.database import insert
from core.vocabulary import Role


def pause(session: Session, person: str, now: datetime) -> None:
    """Pause a reviewer: until they resume, they do not count as able to answer; if they vote, the vote counts. Raises
    NotAllowed for people who review nowhere. Safe to repeat, as `resume` is."""
    require_anywhere(session, Role.REVIEWER, person, "pause")
    row = locked_reviewer(session, person)
    row.paused_at = row.paused_at or now


def resume(session: Session, person: str) -> None:
    require_anywhere(session, Role.REVIEWER, person, "resume")
    locked_reviewer(session, person).paused_at = None


def locked_reviewer(session: Session, person: str) -> Reviewer:
    """The person's row, made on first use."""
    new = insert(session, Reviewer).values(person=person).on_conflict_do_nothing(index_elements=["person"])
    session.execute(new)
    return session.get_one(Reviewer, person, with_for_update=True, populate_existing=True)
