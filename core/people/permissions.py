"""Permissions: who may do what, checked on the server at each click and refused in a sentence."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotAllowed
from core.people.members import member_row
from core.policy import QueuePolicy
from core.records.queues import Member, Queue, QueueRow
from core.vocabulary import InactiveReason, Role

INACTIVE: dict[InactiveReason, str] = {
    InactiveReason.DEACTIVATED: "this account is deactivated",
    InactiveReason.BOT: "bots can't act here",
    InactiveReason.GUEST: "guests can't act here",
    InactiveReason.OTHER_WORKSPACE: "people from other workspaces can't act here",
    InactiveReason.UNKNOWN: "Slack doesn't know this person",
}


def require(session: Session, queue: QueueRow, role: Role, person: str, what: str, policy: QueuePolicy) -> None:
    """Raise NotAllowed, with the reason, unless the person may act in this role. `what` completes "… can ___"."""
    row = member_row(session, queue.id, role, person)
    if row is None:
        ask = policy.admins if role is Role.ADMIN else policy.leads
        raise NotAllowed(f"Only {role.value}s of {policy.shown_title} can {what}.", ask=ask)
    if not row.active:
        raise inactive(row.inactive_because, what)


def require_part(session: Session, queue: Queue, person: str, what: str, policy: QueuePolicy) -> None:
    """Raise NotAllowed, with the reason, unless the person reviews or leads here. `what` completes "… can ___"."""
    rows = session.scalars(select(Member).where(Member.queue_id == queue.id, Member.person == person)).all()
    if not rows:
        raise NotAllowed(f"Only reviewers and leads of {policy.shown_title} can {what}.", ask=policy.leads)
    _check_active(rows, what)


def require_anywhere(session: Session, role: Role, person: str, what: str) -> None:
    """Raise NotAllowed, with the reason, unless the person holds the role in some queue."""
    rows = session.scalars(select(Member).where(Member.role == role, Member.person == person)).all()
    if not rows:
        raise NotAllowed(f"Only {role.value}s can {what}. Ask a lead to add you to a queue.")
    _check_active(rows, what)


def inactive(code: str, what: str) -> NotAllowed:
    """The refusal for a person who may not act in any role. code: of `InactiveReason`, or of a newer release."""
    return NotAllowed(f"You can't {what}: {why_inactive(code)}.")


def why_inactive(code: str) -> str:
    """Completes "… can't act: ___"."""
    return INACTIVE[InactiveReason(code)] if code in set(InactiveReason) else "this account can't act here"


def _check_active(rows: Sequence[Member], what: str) -> None:
    if not any(row.active for row in rows):
        raise inactive(rows[0].inactive_because, what)
