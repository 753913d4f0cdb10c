"""The queues of the policy file, as rows; who reviews and who leads in them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotAllowed, NotFound
from core.policy import Policy, QueuePolicy
from core.records.learning import Live
from core.records.queues import Guideline, Member, Queue
from core.vocabulary import Role


@dataclass(frozen=True)
class Person:
    """What Slack says of one person. `inactive_because` is empty for someone who may act."""

    id: str
    inactive_because: str = ""


def sync_queues(session: Session, policy: Policy, now: datetime) -> None:
    """Make a row for each queue of the policy file; a changed guideline becomes its next version. Safe to repeat."""
    for wanted in policy.queues:
        queue = session.scalar(select(Queue).where(Queue.name == wanted.name))
        if queue is None:
            queue = Queue(name=wanted.name, created_at=now, channel=wanted.channel, leads_channel=wanted.leads_channel)
            session.add(queue)
            session.flush()
            session.add(Live(queue_id=queue.id))
        queue.channel, queue.leads_channel = wanted.channel, wanted.leads_channel
        _sync_guideline(session, queue, wanted.guideline, now)
        _seat_named_people(session, queue, wanted)
    session.flush()


def queue_named(session: Session, name: str) -> Queue:
    queue = session.scalar(select(Queue).where(Queue.name == name))
    if queue is None:
        raise NotFound(f"There is no queue “{name}” in the database. Run `goldloop migrate` after changing the policy.")
    return queue


def sync_members(session: Session, queue_id: int, role: Role, people: Iterable[Person]) -> None:
    """Let exactly these people hold the role. Those who are gone lose it; their votes stay."""
    wanted = {person.id: person for person in people}
    rows = session.scalars(select(Member).where(Member.queue_id == queue_id, Member.role == role).with_for_update())
    known = {row.person: row for row in rows}
    for person in wanted.values():
        row = known.get(person.id) or Member(queue_id=queue_id, role=role, person=person.id)
        row.active, row.inactive_because = not person.inactive_because, person.inactive_because
        session.add(row)
    for gone in set(known) - set(wanted):
        session.delete(known[gone])
    session.flush()


def members(session: Session, queue_id: int, role: Role) -> list[str]:
    """Ids of those who hold the role and may act now, in a fixed order."""
    return list(
        session.scalars(
            select(Member.person)
            .where(Member.queue_id == queue_id, Member.role == role, Member.active)
            .order_by(Member.person)
        )
    )


def holds(session: Session, queue_id: int, role: Role, person: str) -> bool:
    row = _member(session, queue_id, role, person)
    return row is not None and row.active


def require(session: Session, queue: Queue, role: Role, person: str, what: str) -> None:
    """Raise NotAllowed, with the reason, unless the person may act in this role. `what` completes "… may ___"."""
    row = _member(session, queue.id, role, person)
    if row is None:
        raise NotAllowed(f"Only the {role.value}s of {queue.name} may {what}. Ask a lead to add you to the policy.")
    if not row.active:
        raise NotAllowed(f"You may not {what}: {row.inactive_because}.")


def queues_of(session: Session, person: str, role: Role) -> list[Queue]:
    return list(
        session.scalars(
            select(Queue)
            .join(Member, Member.queue_id == Queue.id)
            .where(Member.person == person, Member.role == role, Member.active)
            .order_by(Queue.name)
        )
    )


def guideline_text(session: Session, queue: Queue) -> str:
    found = session.scalar(
        select(Guideline.text).where(Guideline.queue_id == queue.id, Guideline.version == queue.guideline_version)
    )
    return found or ""


def _member(session: Session, queue_id: int, role: Role, person: str) -> Member | None:
    return session.scalar(
        select(Member).where(Member.queue_id == queue_id, Member.role == role, Member.person == person)
    )


def _sync_guideline(session: Session, queue: Queue, wanted: str, now: datetime) -> None:
    if queue.guideline_version and guideline_text(session, queue) == wanted:
        return
    queue.guideline_version = (queue.guideline_version or 0) + 1
    session.add(Guideline(queue_id=queue.id, version=queue.guideline_version, text=wanted, created_at=now))
    session.flush()


def _seat_named_people(session: Session, queue: Queue, policy: QueuePolicy) -> None:
    """People named in the policy hold their roles at once; what Slack says of them follows with the next refresh."""
    for role, named in ((Role.REVIEWER, policy.reviewers), (Role.LEAD, policy.leads)):
        for person in named:
            if _member(session, queue.id, role, person) is None:
                session.add(Member(queue_id=queue.id, role=role, person=person, active=True))
