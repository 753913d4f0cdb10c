"""Current answers to items, as values."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, assert_never

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from core.records.reviews import Answer
from core.review.consensus import Vote
from core.storage.database import kind_of
from core.storage.lists import among, as_list, form_of
from core.storage.ready import Found, Question, ask
from core.vocabulary import AnswerKind, ErrorReason, shown_answer

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


@dataclass(frozen=True)
class CurrentAnswer:
    """A person's latest answer to an item. id is None while it is being stored."""

    id: int | None
    person: str
    kind: AnswerKind
    label: str | None
    reason: ErrorReason | None
    note: str
    guideline_version: int
    clicked_at: int
    created_at: datetime


def answers_to(kind: str, item_ids: Collection[int]) -> Question[dict[int, list[CurrentAnswer]]]:
    """The latest answers by item, oldest first: one for each person who ever answered, also if it was withdrawn. kind:
    of database."""
    form = form_of(kind, item_ids)
    return Question(_latest(form), {"ids": as_list(form, item_ids)}, _by_item)


def current_answers(session: Session, item_id: int) -> list[CurrentAnswer]:
    """The answers to an item that count, oldest first: one for each person who has answered and not withdrawn it."""
    return current(ask(session, answers_to(kind_of(session), [item_id])).get(item_id, []))


def current(answers: Sequence[CurrentAnswer]) -> list[CurrentAnswer]:
    """The answers that were not withdrawn."""
    return [answer for answer in answers if answer.kind is not AnswerKind.WITHDRAWN]


def votes_among(answers: Sequence[Answer | CurrentAnswer]) -> list[Vote]:
    """The votes among the answers, for the rules of consensus. "Cannot judge" and skips are no votes."""
    return [Vote(answer.person, answer.label) for answer in answers if answer.kind.is_vote]


def answer_in_words(kind: AnswerKind, label: str | None) -> str:
    """An answer in words."""
    match kind:
        case AnswerKind.LABEL | AnswerKind.NONE_OF_THESE:
            return shown_answer(label)
        case AnswerKind.CANNOT_JUDGE:
            return "can't judge"
        case AnswerKind.SKIP:
            return "skipped"
        case AnswerKind.WITHDRAWN:
            return "withdrawn"
        case _:
            assert_never(kind)


def _by_item(rows: Found) -> dict[int, list[CurrentAnswer]]:
    found = defaultdict(list)
    for item_id, *said in rows:
        found[item_id].append(CurrentAnswer(*said))
    return found


@cache
def _latest(form: str) -> Select[*tuple[Any, ...]]:
    wanted = (among(Answer.item_id, form, "ids"), Answer.is_current)
    return select(Answer.item_id, *_SAID).where(*wanted).order_by(Answer.id)
