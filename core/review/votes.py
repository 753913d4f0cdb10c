"""Where a vote is counted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, select
from sqlalchemy.orm import Session

from core.database import run
from core.delivery import outbox
from core.errors import AlreadySettled, Invalid, NotAllowed, NotFound, Outdated, Refusal
from core.policy import Policy, QueuePolicy
from core.queues import holds, holds_alone, require
from core.records.reviews import Answer, Correction, ReviewItem
from core.review.consensus import Dispute, Verdict, verdict
from core.review.corrections import adjudicate_item, settle_item
from core.review.items import (
    CurrentAnswer,
    current_answers,
    latest_answers,
    left_to_ask,
    locked_item,
    said_words,
    standing,
)
from core.review.workload import done_today
from core.vocabulary import AnswerKind, Audience, Card, ErrorReason, ItemState, Role, shown_answer

ANSWERS = cast(Table, Answer.__table__)
_NEW = ANSWERS.insert()
_OUTDATED = ANSWERS.update().where(Answer.id == bindparam("answer_id")).values(is_current=False)


@dataclass(frozen=True)
class Said:
    """What somebody said. clicked_at: when they clicked, in microseconds, by Slack's clock; of what they said in a
    form, when they opened it, for Slack does not say when they sent it."""

    kind: AnswerKind
    clicked_at: int
    label: str | None = None
    reason: ErrorReason | None = None
    note: str = ""
    in_form: bool = False


@dataclass(frozen=True)
class Receipt:
    """What was recorded, for the person alone. before: what they had said until now."""

    item_id: int
    kind: AnswerKind
    label: str | None
    before: str | None = None
    settled: bool = False
    adjudicated: bool = False

    @property
    def may_undo(self) -> bool:
        return not self.settled and self.kind is not AnswerKind.WITHDRAWN


def cast_vote(session: Session, item_id: int, person: str, said: Said, now: datetime, policy: Policy) -> Receipt:
    """Record what a person says about an item (a vote, "cannot judge" or a skip) and see what it adds up to.

    1. Locks the item. 2. A click delivered again gives the same receipt. 3. Refuses what is settled, foreign, older
    than what is stored, or over the daily cap. 4. Supersedes the person's former answer. 5. Settles the item, sends it
    to a lead, or leaves it open. On a disputed item a lead's answer settles it.
    Raises NotFound, Invalid, AlreadySettled, NotAllowed, Outdated or Refusal; then nothing is written.
    """
    item = locked_item(session, item_id)
    queue = policy.queue(item.prediction.queue.name)
    said = replace(said, note=queue.privacy.stored(said.note))
    _check_answer(said, queue)
    answers = latest_answers(session, item.id)
    last = _last(answers, person)
    if last is not None and _is_again(last, said):
        return _receipt_again(session, item, last)
    said = _after(last, said)
    if item.state is ItemState.SETTLED:
        raise AlreadySettled(_settled_sentence(session, item, person))
    if item.state is ItemState.DISPUTED and holds(session, item.queue_id, Role.LEAD, person):
        adjudicate_item(session, item, person, said.kind, said.label, said.reason, said.note, now, queue)
        return Receipt(item.id, said.kind, said.label, settled=True, adjudicated=True)
    _check_may_answer(session, item, person, answers, said, now, queue)
    answers = _supersede(session, item, person, answers, said, now)
    settled = _decide(session, item, standing(answers), now, queue)
    before = said_words(last) if last else None
    return Receipt(item.id, said.kind, said.label, before=before, settled=settled)


def withdraw_vote(
    session: Session, item_id: int, person: str, clicked_at: int, now: datetime, policy: Policy
) -> Receipt:
    """Take back whatever the person said about an item that is not settled. Locks the item; safe to repeat. Raises
    NotAllowed, NotFound, AlreadySettled or Outdated; then nothing is written."""
    item = locked_item(session, item_id)
    answers = latest_answers(session, item.id)
    last = _last(answers, person)
    if last is None or (last.kind is AnswerKind.WITHDRAWN and last.clicked_at != clicked_at):
        raise NotFound(f"You have said nothing about item {item_id} that could be taken back.")
    if last.clicked_at == clicked_at:
        return _receipt_again(session, item, last)
    if item.state is ItemState.SETTLED:
        raise AlreadySettled(_settled_sentence(session, item, person))
    require(session, item.prediction.queue, Role.REVIEWER, person, "take answers back")
    _check_newer(last, clicked_at)
    answers = _supersede(session, item, person, answers, Said(AnswerKind.WITHDRAWN, clicked_at), now)
    _decide(session, item, standing(answers), now, policy.queue(item.prediction.queue.name))
    return Receipt(item.id, AnswerKind.WITHDRAWN, None, before=said_words(last))


def decide_again(session: Session, item_id: int, now: datetime, policy: Policy) -> None:
    """What was said has not changed, but who could still be asked may have: somebody paused, or left. Locks the item;
    does nothing unless it is open. Safe to repeat."""
    item = locked_item(session, item_id)
    if item.state is ItemState.OPEN:
        _decide(session, item, current_answers(session, item.id), now, policy.queue(item.prediction.queue.name))


def _receipt_again(session: Session, item: ReviewItem, last: CurrentAnswer) -> Receipt:
    """What was said of this click when it came first, whatever others have done since."""
    before = session.scalar(
        select(Answer)
        .where(Answer.item_id == item.id, Answer.person == last.person, Answer.id < last.id)
        .order_by(Answer.id.desc())
        .limit(1)
    )
    settled = item.settled_at == last.created_at
    return Receipt(item.id, last.kind, last.label, before=said_words(before) if before else None, settled=settled)


def _decide(
    session: Session, item: ReviewItem, answers: Sequence[CurrentAnswer], now: datetime, queue: QueuePolicy
) -> bool:
    """Bring the item's state in line with what was said. True: settled."""
    votes = [answer for answer in answers if answer.kind.is_vote]
    outcome = _outcome(session, item, answers, queue)
    if isinstance(outcome, Verdict):
        settle_item(session, item, outcome.label, votes, now, queue)
        return True
    _stay_open(item, outcome.because if isinstance(outcome, Dispute) else "")
    outbox.show(
        session, Card.REVIEW_ITEM, item.id, Audience.REVIEWERS, item.prediction.queue, now,
        urgent=item.state is ItemState.DISPUTED,
    )  # fmt: skip
    return False


def _stay_open(item: ReviewItem, disputed_because: str) -> None:
    """Disputed with a reason, open without one. Most votes change neither, and an assignment alone costs a flush."""
    state = ItemState.DISPUTED if disputed_because else ItemState.OPEN
    if (item.state, item.disputed_because) != (state, disputed_because):
        item.state, item.disputed_because = state, disputed_because


def _outcome(
    session: Session, item: ReviewItem, answers: Sequence[CurrentAnswer], queue: QueuePolicy
) -> Verdict | Dispute | None:
    """Who is left to ask is looked up only where it makes a difference: most votes settle an item or do not need it."""
    votes = [answer.label for answer in answers if answer.kind.is_vote]
    cannot_judge = sum(answer.kind is AnswerKind.CANNOT_JUDGE for answer in answers)
    outcome = verdict(votes, cannot_judge, 1, queue.consensus)
    return outcome or verdict(votes, cannot_judge, left_to_ask(session, item, answers), queue.consensus)


def _supersede(
    session: Session, item: ReviewItem, person: str, answers: Sequence[CurrentAnswer], said: Said, now: datetime
) -> list[CurrentAnswer]:
    """What everybody's newest word about the item is now, oldest first."""
    last = _last(answers, person)
    if last is not None:
        run(session, _OUTDATED, {"answer_id": last.id})
    version = item.prediction.queue.guideline_version
    new = CurrentAnswer(
        None, person, said.kind, said.label, said.reason, said.note, version, said.clicked_at, created_at=now
    )
    shown = {"item_id": item.id, "suggestion_shown": not item.blind, "is_current": True}
    run(session, _NEW, {name: value for name, value in vars(new).items() if name != "id"} | shown)
    return [answer for answer in answers if answer is not last] + [new]


def _last(answers: Sequence[CurrentAnswer], person: str) -> CurrentAnswer | None:
    """The person's newest word about the item, taken back or not."""
    return next((answer for answer in answers if answer.person == person), None)


def _check_answer(said: Said, queue: QueuePolicy) -> None:
    if said.kind is AnswerKind.LABEL and said.label not in queue.label_names:
        raise Invalid(
            f"“{said.label}” is not a label of {queue.shown_title} (any more). Choose another.", field="label"
        )


def _check_may_answer(
    session: Session,
    item: ReviewItem,
    person: str,
    answers: Sequence[CurrentAnswer],
    said: Said,
    now: datetime,
    queue: QueuePolicy,
) -> None:
    if not holds_alone(session, item.queue_id, Role.REVIEWER, person):
        if holds(session, item.queue_id, Role.LEAD, person):
            raise NotAllowed(f"Reviewers are still voting on item {item.id}. It comes to you if they cannot settle it.")
        require(session, item.prediction.queue, Role.REVIEWER, person, "vote here")
    last = _last(answers, person)
    if last is not None:
        _check_newer(last, said.clicked_at)
    stands = last is not None and last.kind is not AnswerKind.WITHDRAWN
    if item.state is ItemState.DISPUTED and not stands:
        raise Refusal(f"Item {item.id} waits for a lead ({item.disputed_because}); no more votes are needed.")
    if said.kind.is_vote and not (stands and last is not None and last.kind.is_vote):
        _check_votes_wanted(item, answers, queue)
        _check_daily_cap(session, item, person, now, queue)


def _is_again(last: CurrentAnswer, said: Said) -> bool:
    """The same click, delivered again. A form whose acknowledgement was lost may be changed before it is sent again:
    then it says something new."""
    if last.clicked_at != said.clicked_at:
        return False
    stored = (last.kind, last.label, last.reason, last.note)
    return not said.in_form or stored == (said.kind, said.label, said.reason, said.note)


def _after(last: CurrentAnswer | None, said: Said) -> Said:
    """A form is sent once and counts when it comes: after whatever its person has said since they opened it."""
    if not said.in_form or last is None or last.clicked_at < said.clicked_at:
        return said
    return replace(said, clicked_at=last.clicked_at + 1)


def _check_newer(last: CurrentAnswer, clicked_at: int) -> None:
    if clicked_at < last.clicked_at:
        raise Outdated(f"An older click arrived late and changed nothing. What counts is: {said_words(last)}.")


def _check_votes_wanted(item: ReviewItem, answers: Sequence[CurrentAnswer], queue: QueuePolicy) -> None:
    votes = sum(answer.kind.is_vote for answer in answers)
    if votes >= queue.consensus.votes:
        raise Refusal(f"Item {item.id} has its {votes} votes already; no more are needed.")


def _check_daily_cap(session: Session, item: ReviewItem, person: str, now: datetime, queue: QueuePolicy) -> None:
    """The person's other votes wait meanwhile (`holds_alone`), or several at once could slip past it."""
    done = done_today(session, person, item.prediction.queue, queue.zone, now)
    if done >= queue.workload.daily_cap:
        raise Refusal(
            f"You have voted on {done} items of {queue.shown_title} today, which is the most per day. "
            "Thank you; tomorrow is another day."
        )


def _settled_sentence(session: Session, item: ReviewItem, person: str) -> str:
    correction = session.scalar(select(Correction).where(Correction.item_id == item.id, Correction.is_current))
    if correction is None:
        return f"Item {item.id} is decided already."
    if correction.lead is not None:
        who = "you" if correction.lead == person else "a lead"
        return f"Item {item.id} is decided: {shown_answer(correction.label)}, by {who}."
    total, agreeing = sum(correction.tally.values()), correction.tally.get(shown_answer(correction.label), 0)
    answer = shown_answer(correction.label)
    return f"Item {item.id} is decided already: {answer}, by {agreeing} of {total} votes. Your click changed nothing."
