"""What people have said about an item so far, and who could still be asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.orm import Session

from core.records.queues import Member
from core.records.reviews import Answer, Reviewer, ReviewItem
from core.review.items import LockedItem
from core.review.workload import DONE
from core.storage.database import run
from core.vocabulary import AnswerKind, ErrorReason, ItemState, Role, shown_answer

# What every click asks is built once: building it costs several times what running it does.
_SAID = (  # in the order of `CurrentAnswer`
    Answer.id,
    Answer.person,
    Answer.kind,
    Answer.label,
    Answer.reason,
    Answer.note,
    Answer.guideline_version,
    Answer.clicked_at,
    Answer.created_at,
)
_OF_ITEM = (Answer.item_id == bindparam("item_id")) & Answer.is_current
_LATEST = select(*_SAID).where(_OF_ITEM).order_by(Answer.id)
_ASKABLE = (
    select(Member.person)
    .outerjoin(Reviewer, Reviewer.person == Member.person)
    .where(
        Member.queue_id == bindparam("queue_id"),
        Member.role == Role.REVIEWER,
        Member.active,
        Reviewer.paused_at.is_(None),
    )
)
_SPOKE = select(Answer.person).where(_OF_ITEM, Answer.kind != AnswerKind.WITHDRAWN)
_LEFT = select(func.count()).select_from(
    _ASKABLE.where(Member.person != bindparam("person"), Member.person.not_in(_SPOKE)).subquery()
)
_COUNTS = select(_LEFT.scalar_subquery().label("left"), DONE.scalar_subquery().label("done")).subquery()
_SO_FAR = (
    select(_COUNTS.c.left, _COUNTS.c.done, *_SAID)
    .select_from(_COUNTS.outerjoin(Answer, _OF_ITEM))  # the counts also where nobody has said anything
    .order_by(Answer.id)
)


@dataclass(frozen=True)
class CurrentAnswer:
    """A person's newest word about an item. id is None while it is being stored."""

    id: int | None
    person: str
    kind: AnswerKind
    label: str | None
    reason: ErrorReason | None
    note: str
    guideline_version: int
    clicked_at: int
    created_at: datetime


@dataclass(frozen=True)
class VotingState:
    """What decides about a person's answer to an item beside the item itself. answers: one per person who has ever said
    something, taken back or not, oldest first. left: how many others could still be asked. done_today: as in `Load`."""

    answers: list[CurrentAnswer]
    left: int
    done_today: int


def latest_answers(session: Session, item_id: int) -> list[CurrentAnswer]:
    """One per person who has ever said something, taken back or not; oldest first."""
    rows: Sequence[Row[*tuple[Any, ...]]] = run(session, _LATEST, {"item_id": item_id}).all()
    return [CurrentAnswer(*row) for row in rows]


def current_answers(session: Session, item_id: int) -> list[CurrentAnswer]:
    """One per person who has said something and not taken it back, oldest first."""
    return current(latest_answers(session, item_id))


def current(answers: Sequence[CurrentAnswer]) -> list[CurrentAnswer]:
    """Without those that were taken back."""
    return [answer for answer in answers if answer.kind is not AnswerKind.WITHDRAWN]


def left_to_ask(session: Session, item: LockedItem) -> int:
    """Reviewers who may act, are not paused and have said nothing about the item, or have taken it back."""
    asked = {"queue_id": item.queue.id, "item_id": item.id, "person": ""}
    return int(run(session, _LEFT, asked).scalar_one())


def voting_state(session: Session, item: LockedItem, person: str, since: datetime) -> VotingState:
    """In one question, as a click waits for it. since: when the day began. Only behind the item's lock, and that of the
    person's seat, does it stay as it is."""
    asked = {"queue_id": item.queue.id, "item_id": item.id, "person": person, "since": since}
    rows: Sequence[Row[*tuple[Any, ...]]] = run(session, _SO_FAR, asked).all()
    answers = [CurrentAnswer(*said) for _left, _done, *said in rows if said[0] is not None]
    return VotingState(answers, left=rows[0][0], done_today=rows[0][1])


def unanswerable_items(session: Session, queue_id: int) -> list[int]:
    """Open items about which everybody who can be asked has spoken. Clicks find this out by themselves; it is left over
    when the last one to ask pauses or leaves."""
    askable = _askable(session, queue_id)
    current = (Answer.item_id == ReviewItem.id) & Answer.is_current & (Answer.kind != AnswerKind.WITHDRAWN)
    enough_said = (
        select(ReviewItem.id)
        .outerjoin(Answer, current & Answer.person.in_(askable))
        .where(ReviewItem.queue_id == queue_id, ReviewItem.state == ItemState.OPEN)
        .group_by(ReviewItem.id)
        .having(func.count(Answer.person) >= len(askable))  # a person has one standing answer at most
        .order_by(ReviewItem.id)
    )
    return list(session.scalars(enough_said))


def _askable(session: Session, queue_id: int) -> set[str]:
    return set(session.scalars(_ASKABLE, {"queue_id": queue_id}))


def said_words(answer: Answer | CurrentAnswer) -> str:
    """What an answer says, as people read it."""
    match answer.kind:
        case AnswerKind.LABEL | AnswerKind.NONE_OF_THESE:
            return shown_answer(answer.label)
        case AnswerKind.CANNOT_JUDGE:
            return "can't judge"
        case AnswerKind.SKIP:
            return "skipped"
        case AnswerKind.WITHDRAWN:
            return "withdrawn"
        case _:
            assert_never(answer.kind)
