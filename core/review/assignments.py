"""The reviewers who can still answer an item: those of its queue who are active and not paused, to whom it is assigned,
and who have not answered it yet.

An `Assignment` narrows an item to the people it names; without one, every reviewer of the queue is asked. These
conditions are defined once here in SQL, for the Home tab and the periodic check of stuck items; a click reads their
parts, because answers that are not stored yet count as well (core/review/ballots.py).
"""

from collections import defaultdict
from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.people.members import queue_of
from core.records.queues import Member
from core.records.reviews import Answer, Assignment, Reviewer, ReviewItem
from core.storage.lists import among, as_list, form_of
from core.storage.ready import Found, Question
from core.vocabulary import AnswerKind, ItemState, Role

_ACTIVE = (Member.role == Role.REVIEWER, Member.active, Reviewer.paused_at.is_(None))

Value = ColumnElement[Any] | InstrumentedAttribute[Any]  # a column of the statement around it, or a parameter


def is_asked(item_id: Value, person: Value) -> ColumnElement[bool]:
    """Whether this person is asked about the item: it has no assignments, or one to this person."""
    others = func.min(case((Assignment.person == person, 0), else_=1))  # 1: each is another's; null: there are none
    # One look at the item's own rows: for "none exists, or one of theirs" PostgreSQL may read the whole table.
    assigned = select(others).where(Assignment.item_id == item_id).correlate(ReviewItem, Member)
    # Where nothing is assigned, as in most installations, no item needs that look: of 10,000 it takes 6 ms.
    nothing_assigned = select(func.max(Assignment.item_id)).scalar_subquery().is_(None)
    # Not "= 0", which PostgreSQL expects of one item in 200: it would look up each item's answers by itself.
    return nothing_assigned | (func.coalesce(assigned.scalar_subquery(), 0) < 1)


def waits_for(item_id: Value, person: Value) -> ColumnElement[bool]:
    """Whether this person is asked about the item and has not answered it, or has withdrawn their answer."""
    answered = (
        select(Answer.id)
        .where(Answer.item_id == item_id, Answer.person == person, Answer.is_current)
        .where(Answer.kind != AnswerKind.WITHDRAWN)
        .correlate(ReviewItem, Member)
    )
    return is_asked(item_id, person) & ~answered.exists()


def active_reviewers(kind: str, item_ids: Collection[int]) -> Question[dict[int, frozenset[str]]]:
    """The active reviewers who are not paused, by queue, for the queues of these items. kind: of database."""
    form = form_of(kind, item_ids)
    return Question(_active(form), {"ids": as_list(form, item_ids)}, _people_by)


def assigned_people(kind: str, item_ids: Collection[int]) -> Question[dict[int, frozenset[str]]]:
    """The people to whom an item is assigned, by item. Items without assignments are left out. kind: of database."""
    return Question(_assigned(kind), {"ids": as_list(kind, item_ids)}, _people_by)


def who_can_answer(item_id: Value, queue_id: Value) -> Select[str]:
    """The people who can answer this item of this queue."""
    reviewers = select(Member.person).outerjoin(Reviewer, Reviewer.person == Member.person)
    return reviewers.where(Member.queue_id == queue_id, *_ACTIVE, waits_for(item_id, Member.person))


def unanswerable_items(session: Session, queue_id: int) -> list[int]:
    """Open items that no reviewer is left to answer. A click notices this by itself; this is for items whose last
    reviewer has paused or left."""
    left = who_can_answer(ReviewItem.id, ReviewItem.queue_id).correlate(ReviewItem)
    stuck = select(ReviewItem.id).where(
        ReviewItem.queue_id == queue_id, ReviewItem.state == ItemState.OPEN, ~left.exists()
    )
    return list(session.scalars(stuck.order_by(ReviewItem.id)))


def _people_by(rows: Found) -> dict[int, frozenset[str]]:
    found = defaultdict(set)
    for key, person in rows:
        found[key].add(person)
    return {key: frozenset(people) for key, people in found.items()}


@cache
def _active(form: str) -> Select[int, str]:
    reviewers = select(Member.queue_id, Member.person).outerjoin(Reviewer, Reviewer.person == Member.person)
    return reviewers.where(queue_of(form, "ids"), *_ACTIVE)


@cache
def _assigned(kind: str) -> Select[int, str]:
    return select(Assignment.item_id, Assignment.person).where(among(Assignment.item_id, kind, "ids"))
