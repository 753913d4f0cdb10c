"""Slack user groups that the policy names: their last known members."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.policy import is_group
from core.records.queues import GroupMember
from core.storage.database import insert


def sync_group(session: Session, group_id: str, people: Iterable[str]) -> None:
    """Store these people as the members of the user group. Safe to repeat."""
    wanted = list(dict.fromkeys(people))
    session.execute(delete(GroupMember).where(GroupMember.group_id == group_id, GroupMember.person.not_in(wanted)))
    for person in wanted:
        new = insert(session, GroupMember).values(group_id=group_id, person=person)
        session.execute(new.on_conflict_do_nothing(index_elements=["group_id", "person"]))


def forget_groups_except(session: Session, kept: Sequence[str]) -> None:
    """Delete the members of user groups that the policy names no more."""
    session.execute(delete(GroupMember).where(GroupMember.group_id.not_in(kept)))


def people_named(session: Session, named: Iterable[str]) -> list[str]:
    """The people among these ids, and the known members of the user groups among them; each once."""
    ids = list(named)
    found = select(GroupMember).where(GroupMember.group_id.in_([one for one in ids if is_group(one)]))
    groups: dict[str, list[str]] = {}
    for row in session.scalars(found.order_by(GroupMember.id)):
        groups.setdefault(row.group_id, []).append(row.person)
    return list(dict.fromkeys(person for one in ids for person in (groups.get(one, []) if is_group(one) else [one])))
