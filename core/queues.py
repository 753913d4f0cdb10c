"""The queues of the policy file, as rows; who reviews and who leads in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, bindparam, delete, select
from sqlalchemy.orm import Session

from core.errors import NotAllowed, NotFound
from core.policy import Policy, QueuePolicy, is_group
from core.records.learning import Live
from core.records.queues import GroupMember, Guideline, Member, Queue, QueueRow
from core.storage.database import insert, run
from core.vocabulary import Role

_MEMBER = select(Member.active, Member.inactive_because).where(
    Member.queue_id == bindparam("queue_id"), Member.role == bindparam("role"), Member.person == bindparam("person")
)  # built once: each click asks it
_SEAT = _MEMBER.with_for_update()
_SHARED = (
    select(Queue)
    .where(Queue.name == bindparam("name"))
    .with_for_update(read=True)
    .execution_options(populate_existing=True)
)


@dataclass(frozen=True)
class Person:
    """What Slack says of one person. `inactive_because` is empty for someone who may act."""

    id: str
    inactive_because: str = ""


def sync_queues(session: Session, policy: Policy, now: datetime) -> None:
    """Make a row for each queue of the policy file; a changed guideline becomes its next version. Safe to repeat, and
    from several processes at once: each holds a queue's row until its transaction ends."""
    for wanted in policy.queues:
        queue = _locked_or_made(session, wanted, now)
        queue.channel, queue.leads_channel = wanted.channel, wanted.leads_channel
        _sync_guideline(session, queue, wanted.guideline, now)
        _seat_named_people(session, queue, wanted)
    session.flush()


def queue_named(session: Session, name: str) -> Queue:
    queue = session.scalar(select(Queue).where(Queue.name == name))
    if queue is None:
        raise NotFound(f"There is no queue “{name}” in the database. Run `goldloop migrate` after changing the policy.")
    return queue


def queue_to_fill(session: Session, name: str) -> Queue:
    """Its row, shared by all who store people's texts, and waited for by whoever erases some (core/erasure.py): what
    that does not see stored, we see erased. Raises NotFound."""
    return session.scalar(_SHARED, {"name": name}) or queue_named(session, name)


def sync_members(session: Session, queue_id: int, role: Role, people: Iterable[Person]) -> None:
    """Let exactly these people hold the role. Those who are gone lose it; their votes stay."""
    wanted = {person.id: person for person in people}
    rows = session.scalars(select(Member).where(Member.queue_id == queue_id, Member.role == role).with_for_update())
    known = {row.person: row for row in rows}
    for person in wanted.values():
        if row := known.get(person.id):
            row.active, row.inactive_because = not person.inactive_because, person.inactive_because
        else:
            _seat(session, queue_id, role, person)
    for gone in set(known) - set(wanted):
        session.delete(known[gone])
    session.flush()


def sync_group(session: Session, group_id: str, people: Iterable[str]) -> None:
    """Let exactly these people be known as the user group's. Safe to repeat."""
    wanted = list(dict.fromkeys(people))
    session.execute(delete(GroupMember).where(GroupMember.group_id == group_id, GroupMember.person.not_in(wanted)))
    for person in wanted:
        new = insert(session, GroupMember).values(group_id=group_id, person=person)
        session.execute(new.on_conflict_do_nothing(index_elements=["group_id", "person"]))


def forget_groups_except(session: Session, kept: Sequence[str]) -> None:
    """A user group that the policy names no more is not remembered until it is named again."""
    session.execute(delete(GroupMember).where(GroupMember.group_id.not_in(kept)))


def people_named(session: Session, named: Iterable[str]) -> list[str]:
    """The people among these ids, and those of the user groups among them as far as they are known; each once."""
    ids = list(named)
    found = select(GroupMember).where(GroupMember.group_id.in_([one for one in ids if is_group(one)]))
    groups: dict[str, list[str]] = {}
    for row in session.scalars(found.order_by(GroupMember.id)):
        groups.setdefault(row.group_id, []).append(row.person)
    return list(dict.fromkeys(person for one in ids for person in (groups.get(one, []) if is_group(one) else [one])))


def members(session: Session, queue_id: int, role: Role) -> list[str]:
    """Ids of those who hold the role and may act now, in a fixed order."""
    return list(
        session.scalars(
            select(Member.person)
            .where(Member.queue_id == queue_id, Member.role == role, Member.active)
            .order_by(Member.person)
        )
    )


def is_known(session: Session, person: str) -> bool:
    """Whether they are seated in any role, may they act in it or not."""
    return session.scalar(select(Member.id).where(Member.person == person).limit(1)) is not None


def is_active(session: Session, person: str) -> bool:
    """Whether they may act in some role somewhere."""
    return session.scalar(select(Member.id).where(Member.person == person, Member.active).limit(1)) is not None


def holds(session: Session, queue_id: int, role: Role, person: str) -> bool:
    row = _member(session, queue_id, role, person)
    return row is not None and row.active


def holds_alone(session: Session, queue_id: int, role: Role, person: str) -> bool:
    """The same, and whatever else this person does in this role and queue at the same time waits for us: locks the
    row that says so."""
    row = run(session, _SEAT, {"queue_id": queue_id, "role": role, "person": person}).first()
    return row is not None and row.active


def require(session: Session, queue: QueueRow, role: Role, person: str, what: str) -> None:
    """Raise NotAllowed, with the reason, unless the person may act in this role. `what` completes "… may ___"."""
    row = _member(session, queue.id, role, person)
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


def _member(session: Session, queue_id: int, role: Role, person: str) -> Row[tuple[bool, str]] | None:
    """Whether they may act in it, and if not, why."""
    return run(session, _MEMBER, {"queue_id": queue_id, "role": role, "person": person}).first()


def _check_any(rows: Sequence[Member], unknown: str, what: str) -> None:
    if not rows:
        raise NotAllowed(f"{unknown} Ask a lead to add you to the policy.")
    if not any(row.active for row in rows):
        raise NotAllowed(f"You may not {what}: {rows[0].inactive_because}.")


def _sync_guideline(session: Session, queue: Queue, wanted: str, now: datetime) -> None:
    if queue.guideline_version and guideline_text(session, queue) == wanted:
        return
    queue.guideline_version = (queue.guideline_version or 0) + 1
    session.add(Guideline(queue_id=queue.id, version=queue.guideline_version, text=wanted, created_at=now))
    session.flush()


def _seat_named_people(session: Session, queue: Queue, policy: QueuePolicy) -> None:
    """People named in the policy hold their roles at once; what Slack says of them follows with the next refresh."""
    for role in Role:
        for person in people_named(session, policy.named(role)):
            if _member(session, queue.id, role, person) is None:
                _seat(session, queue.id, role, Person(person))


def _locked_or_made(session: Session, wanted: QueuePolicy, now: datetime) -> Queue:
    made = insert(session, Queue).values(
        name=wanted.name,
        created_at=now,
        channel=wanted.channel,
        leads_channel=wanted.leads_channel,
        guideline_version=0,
    )
    session.execute(made.on_conflict_do_nothing(index_elements=["name"]))
    queue = session.scalars(
        select(Queue)
        .where(Queue.name == wanted.name)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    session.execute(insert(session, Live).values(queue_id=queue.id, changes=0).on_conflict_do_nothing())
    return queue


def _seat(session: Session, queue_id: int, role: Role, person: Person) -> None:
    """Where another process is quicker, what it heard of them stands until the next refresh."""
    why = person.inactive_because
    values = {"queue_id": queue_id, "role": role, "person": person.id, "active": not why, "inactive_because": why}
    new = insert(session, Member).values(values)
    session.execute(new.on_conflict_do_nothing(index_elements=["queue_id", "role", "person"]))
