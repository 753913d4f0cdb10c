"""A person who has left: their Slack id becomes a pseudonym wherever it says who voted, approved or decided."""

from dataclasses import dataclass

from sqlalchemy import Text, cast, delete, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.errors import NotFound, Refusal
from core.records.delivery import Notice
from core.records.learning import Approval, Decision, TrainingRun
from core.records.predictions import Flag
from core.records.queues import GroupMember, Member
from core.records.reviews import Answer, Assignment, Correction, Reviewer, ReviewItem

Column = InstrumentedAttribute[str] | InstrumentedAttribute[str | None]

# What was said and done; each column keeps one person's rows together under the pseudonym.
KEPT: tuple[Column, ...] = (
    Answer.person,
    Approval.person,
    Correction.lead,
    Flag.person,
    ReviewItem.asked_by,
    TrainingRun.requested_by,
)
# Of no use without the person.
DROPPED: tuple[Column, ...] = (
    Assignment.person,
    Reviewer.person,
    Member.person,
    GroupMember.person,
    Notice.person,
)


@dataclass(frozen=True)
class Departed:
    """How many rows name the pseudonym instead of the person now."""

    pseudonym: str
    votes: int
    approvals: int
    decisions: int
    others: int


def erase_person(session: Session, person: str, pseudonym: str) -> Departed:
    """Replace a person's id by the pseudonym in votes, approvals, corrections, decisions, flags and requests, and
    delete their seats, assignments and messages. Their votes still belong together. What links the pseudonym to the
    person is stored nowhere, so choose one that does not follow from the id: a hash of a Slack id could be found by
    trying all.

    Raises Refusal while the person may still act in a queue, and NotFound if nothing names them, so that repeating it
    finds nothing."""
    if session.scalar(select(Member.id).where(Member.person == person, Member.active).limit(1)) is not None:
        raise Refusal(
            f"{person} is still a member of a queue. Remove them from the policy, the user group or the channel first."
        )
    counts = {column: _replaced(session, column, person, pseudonym) for column in KEPT}
    decisions = _replaced_in_decisions(session, person, pseudonym)
    dropped = sum(_dropped(session, column, person) for column in DROPPED)
    if not any(counts.values()) and not decisions and not dropped:
        raise NotFound(f"No stored row contains {person}.")
    others = sum(counts.values()) - counts[Answer.person] - counts[Approval.person]
    return Departed(pseudonym, counts[Answer.person], counts[Approval.person], decisions, others)


def _replaced(session: Session, column: Column, person: str, pseudonym: str) -> int:
    changed = update(column.class_).where(column == person).values({column: pseudonym}).returning(column)
    return len(session.scalars(changed).all())


def _dropped(session: Session, column: Column, person: str) -> int:
    return len(session.scalars(delete(column.class_).where(column == person).returning(column)).all())


def _replaced_in_decisions(session: Session, person: str, pseudonym: str) -> int:
    """The leads of a decision are a list in a JSON column; those that may name the person are looked at one by one."""
    found = session.scalars(
        select(Decision).where(cast(Decision.people, Text).contains(f'"{person}"')).with_for_update()
    )
    rows = [row for row in found if person in row.people["leads"]]
    for row in rows:
        leads = [pseudonym if lead == person else lead for lead in row.people["leads"]]
        row.people = {**row.people, "leads": leads}
    session.flush()
    return len(rows)
