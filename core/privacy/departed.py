"""A person who has left: their Slack id becomes a pseudonym wherever it says who voted, approved or decided, and in
former policies."""

import json
import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, cast, delete, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.errors import NotFound, Refusal
from core.records.delivery import Notice, Posting
from core.records.discovery import Scan
from core.records.learning import Approval, Decision, GoldenChange, GoldenExample, TrainingRun
from core.records.policies import PolicyVersion
from core.records.predictions import Flag
from core.records.promises import PromiseState
from core.records.queues import GroupMember, Member
from core.records.reviews import Answer, Assignment, Correction, Reviewer, ReviewItem
from core.records.slices import SliceRequest
from core.records.synthetic import SyntheticBatch

Column = InstrumentedAttribute[str] | InstrumentedAttribute[str | None]

# What was said and done; each column keeps one person's rows together under the pseudonym.
KEPT: tuple[Column, ...] = (
    Answer.person,
    Approval.person,
    Correction.lead,
    Flag.person,
    GoldenChange.person,
    GoldenExample.pinned_by,
    PromiseState.agreed_by,
    ReviewItem.asked_by,
    Scan.requested_by,
    SliceRequest.asked_by,
    SliceRequest.ended_by,
    SyntheticBatch.requested_by,
    SyntheticBatch.retired_by,
    TrainingRun.requested_by,
)
# Of no use without the person.
DROPPED: tuple[Column, ...] = (
    Assignment.person,
    Reviewer.person,
    Member.person,
    GroupMember.person,
    Notice.person,
    Posting.recipient,
)
# Texts and JSON in which ids stand among other words.
WITHIN: tuple[InstrumentedAttribute[Any], ...] = (
    Decision.people,
    Notice.key,
    Notice.values,
    PolicyVersion.text,
)


@dataclass(frozen=True)
class Departed:
    """The numbers of rows in which the pseudonym now replaces the person."""

    pseudonym: str
    votes: int
    approvals: int
    decisions: int
    others: int


def erase_person(session: Session, person: str, pseudonym: str) -> Departed:
    """Replace a person's id by the pseudonym in votes, approvals, corrections, decisions, flags, requests, messages to
    others and former policies, and delete their seats, assignments and messages. Their votes still belong together.
    What links the pseudonym to the person is stored nowhere, so choose one that does not follow from the id: a hash of
    a Slack id could be found by trying all.

    Raises Refusal while the person may still act in a queue or the policy in force names them, and NotFound if nothing
    names them, so that repeating it finds nothing."""
    if session.scalar(select(Member.id).where(Member.person == person, Member.active).limit(1)) is not None:
        raise Refusal(
            f"{person} is still a member of a queue. Remove them from the policy, the user group or the channel first."
        )
    if _is_in_policy(session, person):
        raise Refusal(
            f"The policy in force names {person}. Remove them from the policy file, then run `goldloop policy reload`."
        )
    counts = {column: _replaced(session, column, person, pseudonym) for column in KEPT}
    dropped = sum(_dropped(session, column, person) for column in DROPPED)
    within = {column: _replaced_within(session, column, person, pseudonym) for column in WITHIN}
    if not any(counts.values()) and not any(within.values()) and not dropped:
        raise NotFound(f"No stored row contains {person}.")
    decisions = within.pop(Decision.people)
    others = sum(counts.values()) - counts[Answer.person] - counts[Approval.person] + sum(within.values())
    return Departed(pseudonym, counts[Answer.person], counts[Approval.person], decisions, others)


def _is_in_policy(session: Session, person: str) -> bool:
    newest = select(func.max(PolicyVersion.version)).scalar_subquery()
    named = select(PolicyVersion.id).where(PolicyVersion.version == newest, PolicyVersion.text.contains(f'"{person}"'))
    return session.scalar(named) is not None


def _replaced(session: Session, column: Column, person: str, pseudonym: str) -> int:
    changed = update(column.class_).where(column == person).values({column: pseudonym}).returning(column)
    return len(session.scalars(changed).all())


def _dropped(session: Session, column: Column, person: str) -> int:
    return len(session.scalars(delete(column.class_).where(column == person).returning(column)).all())


def _replaced_within(session: Session, column: InstrumentedAttribute[Any], person: str, pseudonym: str) -> int:
    """Rows that may name the person are checked one by one, because another id may contain this one."""
    found = (
        select(column.class_)
        .where(cast(column, Text).contains(person, autoescape=True))
        .with_for_update(of=column.class_)
    )
    count = 0
    for row in session.scalars(found):
        before = getattr(row, column.key)
        text = before if isinstance(before, str) else json.dumps(before)
        after = re.sub(rf"(?<!\w){re.escape(person)}(?!\w)", pseudonym, text)
        if after != text:
            setattr(row, column.key, after if isinstance(before, str) else json.loads(after))
            count += 1
    session.flush()
    return count
