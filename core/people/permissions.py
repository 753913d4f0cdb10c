"""Who may do what: checked on the server at each click, and refused in a sentence."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotAllowed
from core.people.members import member_row
from core.records.queues import Member, Queue, QueueRow
from core.vocabulary import Role


def require(session: Session, queue: QueueRow, role: Role, person: str, what: str) -> None:
    """Raise NotAllowed, with the reason, unless the person may act in this role. `what` completes "… may ___"."""
    row = member_row(session, queue.id, role, person)
    if row is None:
        whom = "an admin" if role is Role.ADMIN else "a lead"
        raise NotAllowed(f"Only the {role.value}s of {queue.name} may {what}. Ask {whom} to add you to the policy.")
    if not row.active:
        raise NotAllowed(f"You may not {what}: {row.inactive_because}.")


def require_part(session: Session, queue: Queue, person: str, what: str) -> None:
    """Raise NotAllowed, with the reason, unless the person reviews or leads here. `what` completes "… may ___"."""
    rows = session.scalars(select(Member).where(Member.queue_id == queue.id, Member.person == person)).all()
    _check_any(rows, f"Only those who review or lead in {queue.name} may {what}.", what)


def require_anywhere(session: Session, role: Role, person: str, what: str) -> None:
    """Raise NotAllowed, with the reason, unless the person holds the role in some queue."""
    rows = session.scalars(select(Member).where(Member.role == role, Member.person == person)).all()
    _check_any(rows, f"Only {role.value}s may {what}.", what)


def _check_any(rows: Sequence[Member], unknown: str, what: str) -> None:
    if not rows:
        raise NotAllowed(f"{unknown} Ask a lead to add you to the policy.")
    if not any(row.active for row in rows):
        raise NotAllowed(f"You may not {what}: {rows[0].inactive_because}.")
