"""Current answers to an item, and the number of reviewers who can still answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.orm import Session

from core.records.queues import Member
from core.records.reviews import Answer
from core.review.assignments import is_asked, who_can_answer
from core.review.consensus import Vote
from core.review.items import LockedItem
from core.review.workload import DONE
from core.storage.database import run
from core.vocabulary import AnswerKind, ErrorReason, shown_answer

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
_LEFT = select(func.count()).select_from(
    who_can_answer(bindparam("item_id"), bindparam("queue_id")).where(Member.person != bindparam("person")).subquery()
)
_ASKED = is_asked(bindparam("item_id"), bindparam("person"))
_COUNTS = select(
    _LEFT.scalar_subquery().label("left"), DONE.scalar_subquery().label("done"), _ASKED.label("asked")
).subquery()
_SO_FAR = (
    select(_COUNTS.c.left, _COUNTS.c.done, _COUNTS.c.asked, *_SAID)
    .select_from(_COUNTS.outerjoin(Answer, _OF_ITEM))  # the counts also where there are no answers
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
    something, taken back or not, oldest first. left: how many others could still be asked. done_today: as in `Load`.
    asked: whether the item is for this person."""

    answers: list[CurrentAnswer]
    left: int
    done_today: int
    asked: bool


def latest_answers(session: Session, item_id: int) -> list[CurrentAnswer]:
    """One per person who ever answered, withdrawn or not; oldest first."""
    rows: Sequence[Row[*tuple[Any, ...]]] = run(session, _LATEST, {"item_id": item_id}).all()
    return [CurrentAnswer(*row) for row in rows]


def current_answers(session: Session, item_id: int) -> list[CurrentAnswer]:
    """One per person who has said something and not taken it back, oldest first."""
    return current(latest_answers(session, item_id))


def current(answers: Sequence[CurrentAnswer]) -> list[CurrentAnswer]:
    """Without those that were taken back."""
    return [answer for answer in answers if answer.kind is not AnswerKind.WITHDRAWN]


def votes_among(answers: Sequence[Answer | CurrentAnswer]) -> list[Vote]:
    """The votes, for the rules of consensus; "cannot judge" and skips are none."""
    return [Vote(answer.person, answer.label) for answer in answers if answer.kind.is_vote]


def left_to_ask(session: Session, item: LockedItem) -> int:
    """How many can answer the item."""
    asked = {"queue_id": item.queue.id, "item_id": item.id, "person": ""}
    return int(run(session, _LEFT, asked).scalar_one())


def voting_state(session: Session, item: LockedItem, person: str, since: datetime) -> VotingState:
    """In one question, as a click waits for it. since: when the day began. Only behind the item's lock, and that of the
    person's seat, does it stay as it is."""
    asked = {"queue_id": item.queue.id, "item_id": item.id, "person": person, "since": since}
    rows: Sequence[Row[*tuple[Any, ...]]] = run(session, _SO_FAR, asked).all()
    left, done, asked, *_said = rows[0]
    answers = [CurrentAnswer(*said) for _left, _done, _asked, *said in rows if said[0] is not None]
    return VotingState(answers, left=left, done_today=done, asked=bool(asked))


def said_words(answer: Answer | CurrentAnswer) -> str:
    """An answer in words."""
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
