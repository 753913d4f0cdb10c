"""Members of a queue and their roles, as rows: reviewers, leads, admins."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, delete, select
from sqlalchemy.orm import Session

from core.people.groups import people_named
from core.policy import QueuePolicy
from core.records.queues import Member, Queue
from core.records.reviews import ReviewItem
from core.storage.database import insert, kind_of, run
from core.storage.lists import ALONE, among, as_list, form_of
from core.storage.ready import Found, Question, ask, fetch
from core.vocabulary import InactiveReason, Role

_MEMBER = select(Member.active, Member.inactive_because).where(
    Member.queue_id == bindparam("queue_id"), Member.role == bindparam("role"), Member.person == bindparam("person")
)  # built once: clicks ask it
_QUEUES = (
    select(Member.role, Queue.name)
    .join(Queue, Queue.id == Member.queue_id)
    .where(Member.person == bindparam("person"), Member.active)
    .order_by(Queue.name)
)

Seat = tuple[int, str]  # (queue id, person)


@dataclass(frozen=True)
class Seats:
    """Seats that were locked. known: all that were found; active: those whose people may act in the role."""

    known: frozenset[Seat]
    active: frozenset[Seat]

    @classmethod
    def of(cls, rows: Found) -> "Seats":
        known = frozenset((queue_id, person) for queue_id, person, _active in rows)
        return cls(known, frozenset((queue_id, person) for queue_id, person, active in rows if active))


@dataclass(frozen=True)
class Person:
    """Slack's facts about a person. `inactive_because` is None for a person who may act."""

    id: str
    inactive_because: InactiveReason | None = None


def sync_members(session: Session, queue_id: int, role: Role, people: Iterable[Person]) -> None:
    """Give the role to exactly these people. Others lose it; their votes stay."""
    wanted = {person.id: person for person in people}
    rows = session.scalars(select(Member).where(Member.queue_id == queue_id, Member.role == role).with_for_update())
    known = {row.person: row for row in rows}
    for person in wanted.values():
        if row := known.get(person.id):
            row.active, row.inactive_because = person.inactive_because is None, person.inactive_because or ""
    _seat(session, queue_id, [(role, person) for person in wanted.values() if person.id not in known])
    for gone in set(known) - set(wanted):
        session.delete(known[gone])
    session.flush()


def seat_named_people(session: Session, queue: Queue, policy: QueuePolicy) -> None:
    """Give the people named in the policy their roles, and take them from people who are not named any more. Whether
    they may act is refreshed from Slack later. Without named reviewers, those known last keep the role until then."""
    rows = session.execute(select(Member.role, Member.person).where(Member.queue_id == queue.id))
    held = {(row.role, row.person) for row in rows}
    named = {(role, person) for role in Role for person in people_named(session, policy.named(role))}
    _seat(session, queue.id, [(role, Person(person)) for role, person in sorted(named - held)])
    stays = () if policy.named(Role.REVIEWER) else (Role.REVIEWER,)
    for role, person in sorted(held - named):
        if role not in stays:
            lost = (Member.queue_id == queue.id, Member.role == role, Member.person == person)
            session.execute(delete(Member).where(*lost))


def members(session: Session, queue_id: int, role: Role) -> list[str]:
    """Ids of the people who hold the role and may act now, in a fixed order."""
    return list(
        session.scalars(
            select(Member.person)
            .where(Member.queue_id == queue_id, Member.role == role, Member.active)
            .order_by(Member.person)
        )
    )


def is_known(session: Session, person: str) -> bool:
    """Whether the person holds any role, whether or not they may act in it."""
    return session.scalar(select(Member.id).where(Member.person == person).limit(1)) is not None


def is_active(session: Session, person: str) -> bool:
    """Whether the person may act in any role of any queue."""
    return session.scalar(select(Member.id).where(Member.person == person, Member.active).limit(1)) is not None


def holds(session: Session, queue_id: int, role: Role, person: str) -> bool:
    row = member_row(session, queue_id, role, person)
    return row is not None and row.active


def locked_seats(
    kind: str, items: Collection[int], people: Collection[str], role: Role, wait: bool = True
) -> Question[Seats]:
    """Lock the seats of these people in the queues of these items, in the order of their ids: anything else that the
    people do in the role at the same time waits. kind: of database. wait: for rows that another transaction has locked;
    otherwise these are missing."""
    form = form_of(kind, items, people)
    return Question(_locking_seats(form, wait), _asked(form, items, people, role), Seats.of)


def held_seats(session: Session, items: Collection[int], seats: Collection[Seat], role: Role) -> set[Seat]:
    """Which of these seats, in the queues of these items, exist. If `locked_seats` has not found them, another
    transaction has locked them."""
    kind = kind_of(session)
    if not seats or kind != "postgresql":  # SQLite locks no single rows
        return set()
    values = _asked(kind, items, {person for _queue_id, person in seats}, role)
    return {*seats} & ask(session, Question(_seats(kind), values, Seats.of)).known


def queue_of(form: str, items: str) -> ColumnElement[bool]:
    """Whether a member's queue is that of an item in the list that is bound to this name (`as_list`)."""
    theirs = select(ReviewItem.queue_id).where(among(ReviewItem.id, form, items))
    return Member.queue_id == theirs.scalar_subquery() if form == ALONE else Member.queue_id.in_(theirs)


def _asked(form: str, items: Collection[int], people: Collection[str], role: Role) -> dict[str, Any]:
    return {"role": role, "items": as_list(form, items), "people": as_list(form, people)}


def queues_of(session: Session, person: str) -> dict[Role, list[str]]:
    """The names of the queues in which the person may act now, by role, in a fixed order."""
    found: dict[Role, list[str]] = {role: [] for role in Role}
    for role, name in fetch(session, _QUEUES, {"person": person}):
        found[role].append(name)
    return found


def member_row(session: Session, queue_id: int, role: Role, person: str) -> Row[tuple[bool, str]] | None:
    """Whether they may act in it, and if not, why (of `InactiveReason`)."""
    return run(session, _MEMBER, {"queue_id": queue_id, "role": role, "person": person}).first()


@cache
def _locking_seats(form: str, wait: bool) -> Select[int, str, bool]:
    return _seats(form).with_for_update(skip_locked=not wait)


@cache
def _seats(form: str) -> Select[int, str, bool]:
    wanted = (
        Member.role == bindparam("role"),
        queue_of(form, "items"),
        among(Member.person, form, "people"),
    )
    return select(Member.queue_id, Member.person, Member.active).where(*wanted).order_by(Member.id)


def _seat(session: Session, queue_id: int, people: Sequence[tuple[Role, Person]]) -> None:
    """Store a seat. If another process is quicker, its information counts until the next refresh."""
    if people:
        new = insert(session, Member).on_conflict_do_nothing(index_elements=["queue_id", "role", "person"])
        session.execute(new, [_values(queue_id, role, person) for role, person in people])


def _values(queue_id: int, role: Role, person: Person) -> dict[str, object]:
    why = person.inactive_because or ""
    return {"queue_id": queue_id, "role": role, "person": person.id, "active": not why, "inactive_because": why}
