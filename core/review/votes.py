"""Votes: storing and counting them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import Session

from core.delivery.card_refs import CardRef
from core.errors import AlreadySettled, Invalid, NotAllowed, NotFound, Outdated, Refusal
from core.people.members import holds, holds_alone
from core.people.permissions import require
from core.policy import Policy, QueuePolicy
from core.records.reviews import Answer, Correction, Escalation, ReviewItem
from core.review.answers import (
    CurrentAnswer,
    VotingState,
    current,
    current_answers,
    latest_answers,
    left_to_ask,
    said_words,
    votes_among,
    voting_state,
)
from core.review.consensus import Dispute, Verdict, verdict
from core.review.corrections import adjudicate_item, settle_item
from core.review.items import LockedItem, locked_item
from core.review.presenting import item_changed
from core.review.workload import day_began
from core.storage.database import run
from core.vocabulary import AnswerKind, Coded, ErrorReason, ItemState, Role, shown_answer

ANSWERS, ITEMS = cast(Table, Answer.__table__), cast(Table, ReviewItem.__table__)
_NEW = ANSWERS.insert()
_OUTDATED = ANSWERS.update().where(Answer.id == bindparam("answer_id")).values(is_current=False)
_ESCALATED = cast(Table, Escalation.__table__).insert()
_UNSETTLED = (
    ITEMS.update()
    .where(ReviewItem.id == bindparam("of"))
    .values(
        state=bindparam("state"),
        disputed_because=bindparam("disputed_because"),
        disputed_values=bindparam("disputed_values"),
    )
)


@dataclass(frozen=True)
class NewAnswer:
    """An answer of a person. clicked_at: the time of the click, in microseconds by Slack's clock; for a form, the time
    at which it was opened, because Slack does not tell when it was sent."""

    kind: AnswerKind
    clicked_at: int
    label: str | None = None
    reason: ErrorReason | None = None
    note: str = ""
    in_form: bool = False


@dataclass(frozen=True)
class Receipt:
    """What was recorded, for the person alone. before: the answer that it replaces, if that was another one. reason,
    has_note: what was stored with it. dispute: why a lead decides after it; None: no lead does. repeated: the click was
    delivered before, and its receipt belongs to that delivery."""

    subject: CardRef
    kind: AnswerKind
    label: str | None
    before: str | None = None
    settled: bool = False
    adjudicated: bool = False
    reason: ErrorReason | None = None
    has_note: bool = False
    dispute: Coded | None = field(default=None, compare=False)
    repeated: bool = field(default=False, compare=False)

    @property
    def may_undo(self) -> bool:
        return not self.settled and self.kind is not AnswerKind.WITHDRAWN


def cast_vote(
    session: Session, subject: CardRef, person: str, said: NewAnswer, now: datetime, policy: Policy
) -> Receipt:
    """Record what a person says about an item (a vote, "cannot judge" or a skip) and see what it adds up to.

    1. Locks the item, and the person's seat: several votes of theirs at once could slip past the daily cap. 2. A click
    delivered again gives the same receipt. 3. Refuses what is settled, foreign, older than what is stored, or over the
    daily cap. 4. Supersedes the person's former answer. 5. Settles the item, sends it to a lead, or leaves it open. On
    a disputed item a lead's answer settles it.
    Raises NotFound, Invalid, AlreadySettled, NotAllowed, Outdated or Refusal; then nothing is written.
    """
    item = locked_item(session, subject)
    queue = policy.queue(item.queue.name)
    said = replace(said, note=queue.privacy.stored(said.note))
    _check_answer(said, queue)
    reviews = holds_alone(session, item.queue.id, Role.REVIEWER, person)
    known = voting_state(session, item, person, day_began(now, queue.zone))
    last = _last(known.answers, person)
    if last is not None and _is_again(last, said):
        return _receipt_again(session, item, last)
    said = _after(last, said)
    if item.state is ItemState.SETTLED:
        raise AlreadySettled(_settled_sentence(session, item, person))
    if last is not None:
        _check_newer(last, said.clicked_at)
    if item.state is ItemState.DISPUTED and holds(session, item.queue.id, Role.LEAD, person):
        adjudicate_item(session, item, person, said.kind, said.label, said.reason, said.note, now, queue)
        return replace(_receipt(item, said), settled=True, adjudicated=True)
    if not reviews:
        _refuse(session, item, person, queue)
    _check_may_answer(item, last, known, said.kind, queue)
    answers = _supersede(session, item, person, known.answers, said, now)
    outcome = _decide(session, item, current(answers), known.left, now, queue)
    return _with_outcome(replace(_receipt(item, said), before=_instead_of(last, said)), outcome)


def withdraw_vote(
    session: Session, subject: CardRef, person: str, clicked_at: int, now: datetime, policy: Policy
) -> Receipt:
    """Take back whatever the person said about an item that is not settled. Locks the item; safe to repeat. Raises
    NotAllowed, NotFound, AlreadySettled or Outdated; then nothing is written."""
    item = locked_item(session, subject)
    answers = latest_answers(session, item.id)
    last = _last(answers, person)
    if last is None or (last.kind is AnswerKind.WITHDRAWN and last.clicked_at != clicked_at):
        raise NotFound(f"You have no answer to item {item.id} to undo.")
    if last.clicked_at == clicked_at:
        return _receipt_again(session, item, last)
    if item.state is ItemState.SETTLED:
        raise AlreadySettled(_settled_sentence(session, item, person))
    require(session, item.queue, Role.REVIEWER, person, "undo answers", policy.queue(item.queue.name))
    _check_newer(last, clicked_at)
    answers = _supersede(session, item, person, answers, NewAnswer(AnswerKind.WITHDRAWN, clicked_at), now)
    left = left_to_ask(session, item)
    outcome = _decide(session, item, current(answers), left, now, policy.queue(item.queue.name))
    return _with_outcome(Receipt(item.subject, AnswerKind.WITHDRAWN, None, before=said_words(last)), outcome)


def decide_again(session: Session, item_id: int, now: datetime, policy: Policy) -> None:
    """Decide with the same answers, after a reviewer has paused or left, so that fewer can still answer. Locks the
    item; does nothing unless it is open. Safe to repeat."""
    item = locked_item(session, CardRef(item_id))
    if item.state is ItemState.OPEN:
        answers, left = current_answers(session, item.id), left_to_ask(session, item)
        _decide(session, item, answers, left, now, policy.queue(item.queue.name))


def _receipt(item: LockedItem, said: NewAnswer | CurrentAnswer) -> Receipt:
    return Receipt(item.subject, said.kind, said.label, reason=said.reason, has_note=bool(said.note))


def _with_outcome(receipt: Receipt, outcome: Verdict | Dispute | None) -> Receipt:
    dispute = Coded(outcome.because, outcome.values) if isinstance(outcome, Dispute) else None
    return replace(receipt, settled=isinstance(outcome, Verdict), dispute=dispute)


def _receipt_again(session: Session, item: LockedItem, last: CurrentAnswer) -> Receipt:
    """What was said of this click when it came first, whatever others have done since."""
    before = session.scalar(
        select(Answer)
        .where(Answer.item_id == item.id, Answer.person == last.person, Answer.id < last.id)
        .order_by(Answer.id.desc())
        .limit(1)
    )
    settled = item.settled_at == last.created_at
    return replace(_receipt(item, last), before=_instead_of(before, last), settled=settled, repeated=True)


def _instead_of(before: Answer | CurrentAnswer | None, now: NewAnswer | CurrentAnswer) -> str | None:
    if before is None or before.kind is AnswerKind.WITHDRAWN:
        return None
    return said_words(before) if (before.kind, before.label) != (now.kind, now.label) else None


def _decide(
    session: Session, item: LockedItem, answers: Sequence[CurrentAnswer], left: int, now: datetime, queue: QueuePolicy
) -> Verdict | Dispute | None:
    """Bring the item's state in line with what was said. left: how many could still be asked. Returns what the answers
    amount to."""
    cannot_judge = sum(answer.kind is AnswerKind.CANNOT_JUDGE for answer in answers)
    outcome = verdict(votes_among(answers), cannot_judge, left, queue.consensus)
    if isinstance(outcome, Verdict):
        settle_item(session, item, outcome.label, answers, now, queue)
        return outcome
    state = ItemState.DISPUTED if isinstance(outcome, Dispute) else ItemState.OPEN
    because, values = (outcome.because, outcome.values) if isinstance(outcome, Dispute) else ("", {})
    if state is ItemState.DISPUTED and item.state is not state:
        run(session, _ESCALATED, {"item_id": item.id, "because": because, "values": values, "at": now})
    if (item.state, item.disputed_because, item.disputed_values) != (state, because, values):
        why = {"disputed_because": because, "disputed_values": values}
        run(session, _UNSETTLED, {"of": item.id, "state": state} | why)
        item_changed(session, item.id, now, urgent=state is ItemState.DISPUTED)
    return outcome


def _supersede(
    session: Session, item: LockedItem, person: str, answers: Sequence[CurrentAnswer], said: NewAnswer, now: datetime
) -> list[CurrentAnswer]:
    """What everybody's newest word about the item is now, oldest first."""
    last = _last(answers, person)
    if last is not None:
        run(session, _OUTDATED, {"answer_id": last.id})
    version = item.queue.guideline_version
    new = CurrentAnswer(
        None, person, said.kind, said.label, said.reason, said.note, version, said.clicked_at, created_at=now
    )
    shown = {"item_id": item.id, "suggestion_shown": not item.blind, "is_current": True}
    run(session, _NEW, {name: value for name, value in vars(new).items() if name != "id"} | shown)
    return [answer for answer in answers if answer is not last] + [new]


def _last(answers: Sequence[CurrentAnswer], person: str) -> CurrentAnswer | None:
    """The person's newest word about the item, taken back or not."""
    return next((answer for answer in answers if answer.person == person), None)


def _check_answer(said: NewAnswer, queue: QueuePolicy) -> None:
    if said.kind is AnswerKind.LABEL and said.label not in queue.label_names:
        raise Invalid(f"“{said.label}” is not a label of {queue.shown_title}. Choose another label.", field="label")


def _refuse(session: Session, item: LockedItem, person: str, queue: QueuePolicy) -> None:
    """Why a person who is not a reviewer may not vote."""
    if holds(session, item.queue.id, Role.LEAD, person):
        raise NotAllowed(f"Reviewers are still voting on item {item.id}. It comes to you if they can't agree.")
    require(session, item.queue, Role.REVIEWER, person, "vote", queue)


def _check_may_answer(
    item: LockedItem, last: CurrentAnswer | None, known: VotingState, kind: AnswerKind, queue: QueuePolicy
) -> None:
    """last: the reviewer's newest word about the item."""
    stands = last is not None and last.kind is not AnswerKind.WITHDRAWN
    if not known.asked and not stands:
        raise NotAllowed(f"Item {item.id} is assigned to other reviewers.")
    if item.state is ItemState.DISPUTED and not stands:
        raise Refusal(f"Item {item.id} is waiting for a lead. No more votes are needed; yours was not counted.")
    if kind.is_vote and not (stands and last is not None and last.kind.is_vote):
        _check_votes_wanted(item, known.answers, queue)
        _check_daily_cap(known.done_today, queue)


def _is_again(last: CurrentAnswer, said: NewAnswer) -> bool:
    """The same click, delivered again. A form whose acknowledgement was lost may be changed before it is sent again:
    then it says something new."""
    if last.clicked_at != said.clicked_at:
        return False
    stored = (last.kind, last.label, last.reason, last.note)
    return not said.in_form or stored == (said.kind, said.label, said.reason, said.note)


def _after(last: CurrentAnswer | None, said: NewAnswer) -> NewAnswer:
    """A form is sent once and counts when it comes: after whatever its person has said since they opened it."""
    if not said.in_form or last is None or last.clicked_at < said.clicked_at:
        return said
    return replace(said, clicked_at=last.clicked_at + 1)


def _check_newer(last: CurrentAnswer, clicked_at: int) -> None:
    if clicked_at < last.clicked_at:
        raise Outdated(f"An older click arrived late and changed nothing. Your current answer: {said_words(last)}.")


def _check_votes_wanted(item: LockedItem, answers: Sequence[CurrentAnswer], queue: QueuePolicy) -> None:
    votes = sum(answer.kind.is_vote for answer in answers)
    if votes >= queue.consensus.votes:
        raise Refusal(f"Item {item.id} already has {votes} votes. No more are needed; yours was not counted.")


def _check_daily_cap(done: int, queue: QueuePolicy) -> None:
    if done >= queue.workload.daily_cap:
        raise Refusal(
            f"You've reached today's limit of {queue.workload.daily_cap} votes in {queue.shown_title}. "
            "Thank you! You can vote again tomorrow."
        )


def _settled_sentence(session: Session, item: LockedItem, person: str) -> str:
    correction = session.scalar(select(Correction).where(Correction.item_id == item.id, Correction.is_current))
    decided = f"Item {item.id} is already decided"
    if correction is None:
        return f"{decided}. Your click changed nothing."
    answer = shown_answer(correction.label)
    if correction.lead is not None:
        who = "you" if correction.lead == person else "a lead"
        return f"{decided}: {answer}, by {who}. Your click changed nothing."
    total, agreeing = sum(correction.tally.values()), correction.tally.get(answer, 0)
    return f"{decided}: {answer} ({agreeing} of {total} votes). Your click changed nothing."
