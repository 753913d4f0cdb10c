"""What people see of reviewing, as plain data: loaded here, drawn by the front end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.policy import LabelPolicy, Policy, QueuePolicy
from core.queues import guideline_text, holds, queue_named
from core.records.predictions import Prediction
from core.records.reviews import Answer, Correction, Reviewer, ReviewItem
from core.review.items import current_answers
from core.review.workload import load, waiting_for
from core.vocabulary import AnswerKind, ErrorReason, ItemState, Reason, Role, shown_answer


@dataclass(frozen=True)
class Why:
    """A reason somebody gave, and their note. person is None where names are not revealed."""

    answer: str
    reason: ErrorReason | None
    note: str
    person: str | None


@dataclass(frozen=True)
class Outcome:
    """How a settled item ended."""

    label: str | None
    tally: dict[str, int]
    lead: str | None
    whys: tuple[Why, ...]
    model_was_right: bool
    names: dict[str, tuple[str, ...]]  # answer -> people; empty where names are not revealed


@dataclass(frozen=True)
class ItemCard:
    """A review item as everyone in the channel may see it. While it is open: no votes, no names. A blind one has no
    guess, no probability and no reason that betrays them, also when it is disputed."""

    item_id: int
    queue_title: str
    external_id: str
    state: ItemState
    disputed_because: str
    blind: bool
    text: str
    image_url: str | None
    fields: dict[str, str]
    guess: str | None
    confidence: float | None
    why_flagged: tuple[tuple[Reason, str], ...]
    labels: tuple[str, ...]  # in the order in which they are offered
    most_buttons: int
    votes: int
    most_votes: int
    outcome: Outcome | None
    leads: tuple[str, ...]


@dataclass(frozen=True)
class FormCard:
    """The form "label and why" of one item, for one person."""

    item_id: int
    text: str
    labels: tuple[LabelPolicy, ...]
    said: str | None  # the label of their present vote
    said_none: bool
    reason: ErrorReason | None
    note: str
    guideline: str


@dataclass(frozen=True)
class StoryLine:
    """One step of how an item came to its end."""

    at: datetime
    words: str


@dataclass(frozen=True)
class MyAnswer:
    item_id: int
    queue_title: str
    excerpt: str
    words: str
    may_undo: bool


@dataclass(frozen=True)
class MyQueue:
    title: str
    open: int
    done_today: int
    daily_cap: int
    waiting: tuple[tuple[int, str], ...]  # item id and excerpt, oldest first


@dataclass(frozen=True)
class MineCard:
    """A person's own load, and their last answers with undo where it is still possible."""

    person: str
    paused: bool
    queues: tuple[MyQueue, ...]
    answers: tuple[MyAnswer, ...]


def item_card(session: Session, item_id: int, policy: Policy) -> ItemCard:
    item = session.get_one(ReviewItem, item_id, populate_existing=True)
    prediction = item.prediction
    queue = policy.queue(prediction.queue.name)
    answers = current_answers(session, item_id)
    hidden = item.blind and item.state is not ItemState.SETTLED
    return ItemCard(
        item_id=item.id,
        queue_title=queue.shown_title,
        external_id=prediction.external_id,
        state=item.state,
        disputed_because=item.disputed_because,
        blind=item.blind,
        text=prediction.text,
        image_url=prediction.image_url,
        fields=prediction.fields,
        guess=None if hidden else prediction.label,
        confidence=None if hidden else prediction.confidence,
        why_flagged=() if hidden else tuple((flag.reason, flag.detail) for flag in prediction.flags),
        labels=_labels_in_order(prediction, queue, fixed=item.blind),
        most_buttons=queue.review.buttons,
        votes=sum(answer.kind.is_vote for answer in answers),
        most_votes=queue.consensus.votes,
        outcome=_outcome(session, item, answers, names=queue.review.reveal == "names"),
        leads=tuple(queue.leads),
    )


def form_card(session: Session, item_id: int, person: str, policy: Policy) -> FormCard | None:
    """None: the item is settled or gone; there is nothing to fill in."""
    item = session.get(ReviewItem, item_id)
    if item is None or item.state is ItemState.SETTLED:
        return None
    queue = policy.queue(item.prediction.queue.name)
    mine = next((answer for answer in current_answers(session, item_id) if answer.person == person), None)
    return FormCard(
        item_id=item.id,
        text=item.prediction.text,
        labels=queue.labels,
        said=mine.label if mine else None,
        said_none=mine is not None and mine.kind is AnswerKind.NONE_OF_THESE,
        reason=mine.reason if mine else None,
        note=mine.note if mine else "",
        guideline=guideline_text(session, item.prediction.queue),
    )


def item_story(session: Session, item_id: int, person: str | None, policy: Policy) -> list[StoryLine]:
    """How an item was decided, oldest first. Names and single votes are for leads (and for person None, the operator),
    or for everyone where the policy reveals names; while the item is open nobody sees them."""
    item = session.get_one(ReviewItem, item_id)
    prediction, queue = item.prediction, policy.queue(item.prediction.queue.name)
    named = person is None or queue.review.reveal == "names" or holds(session, item.queue_id, Role.LEAD, person)
    named = named and (item.state is ItemState.SETTLED or person is None)
    lines = [StoryLine(prediction.created_at, f"{prediction.model_version} said {_said(prediction)}")]
    lines += [
        StoryLine(flag.created_at, f"flagged as {flag.reason.value}: {flag.detail} (policy {flag.policy_fingerprint})")
        for flag in prediction.flags
    ]
    lines.append(StoryLine(item.opened_at, "shown to reviewers" + (", blind" if item.blind else " with the guess")))
    if named:
        every = session.scalars(select(Answer).where(Answer.item_id == item_id).order_by(Answer.id))
        lines += [StoryLine(answer.created_at, _answer_line(answer)) for answer in every]
    corrections = session.scalars(select(Correction).where(Correction.item_id == item_id).order_by(Correction.id))
    lines += [StoryLine(correction.settled_at, _correction_line(correction, named)) for correction in corrections]
    return lines


def mine_card(session: Session, person: str, queues: Sequence[QueuePolicy], now: datetime, policy: Policy) -> MineCard:
    """queues: those in which the person is a reviewer."""
    reviewer = session.get(Reviewer, person)
    mine = []
    for queue in queues:
        row = queue_named(session, queue.name)
        numbers = load(session, person, row, ZoneInfo(queue.time_zone), now)
        waiting = session.execute(
            select(ReviewItem.id, Prediction.text)
            .join(Prediction, Prediction.id == ReviewItem.prediction_id)
            .where(*waiting_for(person, row))
            .order_by(ReviewItem.id)
            .limit(10)
        )
        excerpts = tuple((item_id, excerpt(text)) for item_id, text in waiting)
        mine.append(MyQueue(queue.shown_title, numbers.open, numbers.done_today, queue.workload.daily_cap, excerpts))
    return MineCard(
        person=person,
        paused=reviewer is not None and reviewer.paused_at is not None,
        queues=tuple(mine),
        answers=tuple(_last_answers(session, person, policy)),
    )


def excerpt(text: str, most: int = 80) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _labels_in_order(prediction: Prediction, queue: QueuePolicy, fixed: bool) -> tuple[str, ...]:
    """Likeliest first; of equals, and where nothing is known or may be shown, the queue's order."""
    if fixed:
        return queue.label_names
    chances = dict(prediction.probabilities or {})
    if prediction.label:
        chances.setdefault(prediction.label, 2.0)
    return tuple(sorted(queue.label_names, key=lambda name: (name != prediction.label, -chances.get(name, 0.0))))


def _outcome(session: Session, item: ReviewItem, answers: Sequence[Answer], names: bool) -> Outcome | None:
    correction = session.scalar(select(Correction).where(Correction.item_id == item.id, Correction.is_current))
    if correction is None:
        return None
    votes = [answer for answer in answers if answer.kind.is_vote]
    by_answer: dict[str, tuple[str, ...]] = {}
    for vote in votes if names else []:
        words = shown_answer(vote.label)
        by_answer[words] = (*by_answer.get(words, ()), vote.person)
    whys = [
        Why(shown_answer(vote.label), vote.reason, vote.note, vote.person if names else None)
        for vote in votes
        if vote.reason or vote.note
    ]
    if correction.lead and (correction.reason or correction.note):
        whys.append(Why(shown_answer(correction.label), correction.reason, correction.note, correction.lead))
    return Outcome(
        label=correction.label,
        tally=correction.tally,
        lead=correction.lead,
        whys=tuple(whys),
        model_was_right=correction.model_was_right,
        names=by_answer,
    )


def _last_answers(session: Session, person: str, policy: Policy) -> list[MyAnswer]:
    found = session.execute(
        select(Answer, ReviewItem)
        .join(ReviewItem, ReviewItem.id == Answer.item_id)
        .where(Answer.person == person, Answer.is_current, Answer.kind != AnswerKind.WITHDRAWN)
        .order_by(Answer.created_at.desc(), Answer.id.desc())
        .limit(10)
    )
    known = {queue.name: queue.shown_title for queue in policy.queues}
    return [
        MyAnswer(
            item_id=item.id,
            queue_title=known.get(item.prediction.queue.name, item.prediction.queue.name),
            excerpt=excerpt(item.prediction.text),
            words=_words(answer),
            may_undo=item.state is not ItemState.SETTLED,
        )
        for answer, item in found
    ]


def _words(answer: Answer) -> str:
    return shown_answer(answer.label) if answer.kind.is_vote else answer.kind.value.replace("_", " ")


def _said(prediction: Prediction) -> str:
    if prediction.label is None:
        return "nothing: no model was live"
    return f"{prediction.label} ({prediction.confidence or 0:.0%})"


def _answer_line(answer: Answer) -> str:
    why = f" because {answer.reason.value.replace('_', ' ')}" if answer.reason else ""
    note = f": {answer.note}" if answer.note else ""
    now = "" if answer.is_current else " (changed later)"
    return f"{answer.person} said {_words(answer)}{why}{note} under guideline {answer.guideline_version}{now}"


def _correction_line(correction: Correction, named: bool) -> str:
    votes = ", ".join(f"{count} × {answer}" for answer, count in correction.tally.items()) or "no votes"
    lead = (correction.lead if named else "a lead") if correction.lead else None
    how = f"by {lead} after {votes}" if lead else f"by {votes}"
    right = "the model was right" if correction.model_was_right else "the model was wrong"
    return (
        f"settled as {shown_answer(correction.label)} {how}; {right}; goes to {correction.destination.value} "
        f"(policy {correction.policy_fingerprint})"
    )
