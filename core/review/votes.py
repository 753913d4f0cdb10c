"""Votes: storing and counting them, many in one transaction or one by one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from core.delivery.card_refs import CardRef
from core.errors import AlreadySettled, Invalid, NotAllowed, NotFound, Outdated, Refusal
from core.people.members import Seat, held_seats, holds
from core.people.permissions import require
from core.policy import Policy, QueuePolicy
from core.records.reviews import Answer, Correction
from core.review.answers import CurrentAnswer, answer_in_words, current, votes_among
from core.review.ballots import Ballot, Ballots, locked_ballots, open_ballots
from core.review.consensus import Dispute, Verdict, verdict
from core.review.corrections import by_lead, by_reviewers
from core.review.items import LockedItem, answerable, locked_item
from core.review.workload import day_began
from core.storage.database import run
from core.vocabulary import AnswerKind, Coded, ErrorReason, ItemState, Role, shown_answer

_SETTLED = select(Correction.label, Correction.lead, Correction.tally).where(
    Correction.item_id == bindparam("item_id"), Correction.is_current
)
PolicyOf = Callable[[Session, int], Policy]  # the policy of a version by its number; 0: none was stored yet


@dataclass(frozen=True)
class NewAnswer:
    """An answer that a person gives. clicked_at: the time of the click, in microseconds by Slack's clock; for a form,
    the time at which it was opened, because Slack does not tell when it was sent."""

    kind: AnswerKind
    clicked_at: int
    label: str | None = None
    reason: ErrorReason | None = None
    note: str = ""
    in_form: bool = False


@dataclass(frozen=True)
class Receipt:
    """A confirmation of what was recorded, for the person alone. before: the answer that it replaces, if that was a
    different one. reason, has_note: what was stored with it. dispute: why a lead decides now; None: no lead does.
    repeated: the click was delivered before, and its receipt belongs to that delivery."""

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


@dataclass(frozen=True)
class Cast:
    """An answer to an item, and who gave it. now: when it arrived."""

    subject: CardRef
    person: str
    answer: NewAnswer
    now: datetime


def cast_vote(
    session: Session, subject: CardRef, person: str, answer: NewAnswer, now: datetime, policy: Policy
) -> Receipt:
    """Record one person's answer to an item. Waits for locked rows. Raises NotFound, Invalid, AlreadySettled,
    NotAllowed, Outdated or Refusal; then nothing is written."""
    [outcome] = cast_votes(session, [Cast(subject, person, answer, now)], fixed(policy))
    if isinstance(outcome, Receipt):
        return outcome
    raise outcome or AssertionError("it has waited")


def fixed(policy: Policy) -> PolicyOf:
    """A `PolicyOf` that returns this policy, whichever version is in force."""
    return lambda _session, _version: policy


def withdraw_vote(
    session: Session, subject: CardRef, person: str, clicked_at: int, now: datetime, policy: Policy
) -> Receipt:
    """Withdraw the person's answer to an item that is not settled. Safe to repeat. Raises NotAllowed, NotFound,
    AlreadySettled or Outdated; then nothing is written."""
    return cast_vote(session, subject, person, NewAnswer(AnswerKind.WITHDRAWN, clicked_at), now, policy)


def cast_votes(
    session: Session, casts: Sequence[Cast], policy_of: PolicyOf, wait: bool = True
) -> list[Receipt | Refusal | None]:
    """Record people's answers to items (votes, "cannot judge", skips, withdrawals) and decide about the items, as if
    each answer came in a transaction of its own, in this order.

    1. Lock the items, then the people's seats: several votes of one person at once could slip past the daily cap.
    2. Give a click that is delivered again the same receipt.
    3. Refuse answers to settled items, of people who may not answer, that are older than the stored one, or over the
       daily cap. A refused answer writes nothing.
    4. Supersede the person's former answer.
    5. Settle the item, send it to a lead, or leave it open. On a disputed item a lead's answer settles it.

    policy_of: gives the policy of the version in force. The version is read with the items: on PostgreSQL, a statement
    of its own would take as long as the one for the items. wait: for rows that another transaction has locked.
    Otherwise the casts that need them, and later ones about the same item or by the same person, have no outcome (None)
    and wrote nothing: cast them again, before any later ones.
    """
    ids, people = {one.subject.id for one in casts}, {one.person for one in casts}
    ballots, seats, held_items = locked_ballots(session, ids, people, min(one.now for one in casts), wait)
    items = {item_id: ballot.item for item_id, ballot in ballots.by_item.items()}
    wanted = {(items[one.subject.id].queue.id, one.person) for one in casts if one.subject.id in items}
    held = held_seats(session, ids, wanted - seats.known if not wait else (), Role.REVIEWER)
    policy = policy_of(session, next((item.policy_version for item in items.values()), None) or 0)
    counting = _Counting(session, policy, ballots, seats.active, people)
    outcomes: list[Receipt | Refusal | None] = []
    held_people: set[str] = set()
    for one in casts:
        item = items.get(one.subject.id)
        has_seat = item is None or (item.queue.id, one.person) not in held
        if one.subject.id in held_items or one.person in held_people or not has_seat:
            held_items.add(one.subject.id)
            held_people.add(one.person)
            outcomes.append(None)
        else:
            outcomes.append(counting.outcome(one))
    counting.ballots.store(session)
    return outcomes


def decide_again(session: Session, item_id: int, now: datetime, policy: Policy) -> None:
    """Decide anew with the same answers, because a reviewer has paused or left, so fewer people can still answer. Locks
    the item; does nothing unless it is open. Safe to repeat."""
    item = locked_item(session, CardRef(item_id))
    if item.state is ItemState.OPEN:
        ballots = open_ballots(session, [item])
        _decide(ballots, ballots.by_item[item_id], now, policy.queue(item.queue.name))
        ballots.store(session)


@dataclass
class _Counting:
    """A set of votes while it is counted. people: those who vote; seats: the locked seats of those of them who may
    review."""

    session: Session
    policy: Policy
    ballots: Ballots
    seats: frozenset[Seat]
    people: set[str]

    def outcome(self, cast: Cast) -> Receipt | Refusal:
        try:
            ballot = self.ballots.by_item.get(cast.subject.id)
            item = answerable(cast.subject, None if ballot is None else ballot.item)
            assert ballot is not None
            queue = self.policy.queue(item.queue.name)
            count = self._withdrawn if cast.answer.kind is AnswerKind.WITHDRAWN else self._counted
            return count(ballot, cast, queue)
        except Refusal as refusal:
            return refusal

    def _counted(self, ballot: Ballot, cast: Cast, queue: QueuePolicy) -> Receipt:
        item, person, answer = ballot.item, cast.person, cast.answer
        if answer.note:
            answer = replace(answer, note=queue.privacy.stored(answer.note))
        _check_answer(answer, queue)
        last = ballot.last(person)
        if last is not None and _is_again(last, answer):
            return self._receipt_again(item, last)
        answer = _after(last, answer)
        if item.state is ItemState.SETTLED:
            raise AlreadySettled(self._settled_sentence(item, person))
        if last is not None:
            _check_newer(last, answer.clicked_at)
        if item.state is ItemState.DISPUTED and holds(self.session, item.queue.id, Role.LEAD, person):
            votes = current(ballot.answers)
            outcome = by_lead(item, person, answer.kind, answer.label, answer.reason, answer.note, votes)
            self.ballots.settle(ballot, outcome, cast.now, queue)
            return replace(_receipt(item, answer, None), settled=True, adjudicated=True)
        if (item.queue.id, person) not in self.seats:
            _refuse(self.session, item, person, queue)
        self._check_may_answer(ballot, last, cast, queue)
        self.ballots.supersede(ballot, _new_answer(item, person, answer, cast.now))
        result = _decide(self.ballots, ballot, cast.now, queue)
        return _receipt(item, answer, _instead_of(last, answer), result)

    def _withdrawn(self, ballot: Ballot, cast: Cast, queue: QueuePolicy) -> Receipt:
        item, person, clicked_at = ballot.item, cast.person, cast.answer.clicked_at
        last = ballot.last(person)
        if last is None or (last.kind is AnswerKind.WITHDRAWN and last.clicked_at != clicked_at):
            raise NotFound(f"You have no answer to item {item.id} to undo.")
        if last.clicked_at == clicked_at:
            return self._receipt_again(item, last)
        if item.state is ItemState.SETTLED:
            raise AlreadySettled(self._settled_sentence(item, person))
        require(self.session, item.queue, Role.REVIEWER, person, "undo answers", queue)
        _check_newer(last, clicked_at)
        self.ballots.supersede(ballot, _new_answer(item, person, cast.answer, cast.now))
        result = _decide(self.ballots, ballot, cast.now, queue)
        return _receipt(item, cast.answer, answer_in_words(last.kind, last.label), result)

    def _check_may_answer(self, ballot: Ballot, last: CurrentAnswer | None, cast: Cast, queue: QueuePolicy) -> None:
        """last: the reviewer's latest answer to the item."""
        item, stands = ballot.item, last is not None and last.kind is not AnswerKind.WITHDRAWN
        if not ballot.is_asked(cast.person) and not stands:
            raise NotAllowed(f"Item {item.id} is assigned to other reviewers.")
        if item.state is ItemState.DISPUTED and not stands:
            raise Refusal(f"Item {item.id} is waiting for a lead. No more votes are needed; yours was not counted.")
        if cast.answer.kind.is_vote and not (stands and last is not None and last.kind.is_vote):
            _check_votes_wanted(item, ballot.answers, queue)
            since = day_began(cast.now, queue.zone)
            cap = queue.workload.daily_cap
            if self.ballots.has_done(self.session, cap, item.queue.id, cast.person, self.people, since):
                raise _done_for_today(queue)

    def _receipt_again(self, item: LockedItem, last: CurrentAnswer) -> Receipt:
        """The receipt that this click got when it first arrived, whatever others have done since."""
        mine = [one for one in self.ballots.new_answers if one.new is last]
        before = mine[0].former if mine else _answer_before(self.session, item, last)
        settled = item.settled_at == last.created_at
        return replace(_receipt(item, last, _instead_of(before, last)), settled=settled, repeated=True)

    def _settled_sentence(self, item: LockedItem, person: str) -> str:
        new = self.ballots.settlements.get(item.id)
        if new is not None:
            return _settled_sentence(item, new.outcome.label, new.outcome.lead, new.outcome.tally, person)
        stored = run(self.session, _SETTLED, {"item_id": item.id}).first()
        if stored is None:
            return f"{_decided(item)}. Your click changed nothing."
        return _settled_sentence(item, stored.label, stored.lead, stored.tally, person)


def _receipt(
    item: LockedItem, answer: NewAnswer | CurrentAnswer, before: str | None, result: Verdict | Dispute | None = None
) -> Receipt:
    return Receipt(
        item.subject,
        answer.kind,
        answer.label,
        before,
        settled=isinstance(result, Verdict),
        reason=answer.reason,
        has_note=bool(answer.note),
        dispute=Coded(result.because, result.values) if isinstance(result, Dispute) else None,
    )


def _answer_before(session: Session, item: LockedItem, last: CurrentAnswer) -> Answer | None:
    return session.scalar(
        select(Answer)
        .where(Answer.item_id == item.id, Answer.person == last.person, Answer.id < last.id)
        .order_by(Answer.id.desc())
        .limit(1)
    )


def _instead_of(before: Answer | CurrentAnswer | None, now: NewAnswer | CurrentAnswer) -> str | None:
    if before is None or before.kind is AnswerKind.WITHDRAWN:
        return None
    return answer_in_words(before.kind, before.label) if (before.kind, before.label) != (now.kind, now.label) else None


def _new_answer(item: LockedItem, person: str, answer: NewAnswer, now: datetime) -> CurrentAnswer:
    version = item.queue.guideline_version
    return CurrentAnswer(
        None, person, answer.kind, answer.label, answer.reason, answer.note, version, answer.clicked_at, created_at=now
    )


def _decide(ballots: Ballots, ballot: Ballot, now: datetime, queue: QueuePolicy) -> Verdict | Dispute | None:
    """Bring the item's state in line with its current answers. Returns the verdict, the dispute, or None: the item
    waits for another vote."""
    answers = current(ballot.answers)
    cannot_judge = sum(answer.kind is AnswerKind.CANNOT_JUDGE for answer in answers)
    outcome = verdict(votes_among(answers), cannot_judge, ballot.left, queue.consensus)
    if isinstance(outcome, Verdict):
        ballots.settle(ballot, by_reviewers(outcome.label, answers), now, queue)
    else:
        ballots.wait(ballot, outcome, now)
    return outcome


def _check_answer(answer: NewAnswer, queue: QueuePolicy) -> None:
    if answer.kind is AnswerKind.LABEL and answer.label not in queue.label_names:
        raise Invalid(f"“{answer.label}” is not a label of {queue.shown_title}. Choose another label.", field="label")


def _refuse(session: Session, item: LockedItem, person: str, queue: QueuePolicy) -> None:
    """Raise the error for a person who is not a reviewer."""
    if holds(session, item.queue.id, Role.LEAD, person):
        raise NotAllowed(f"Reviewers are still voting on item {item.id}. It comes to you if they can't agree.")
    require(session, item.queue, Role.REVIEWER, person, "vote", queue)


def _is_again(last: CurrentAnswer, answer: NewAnswer) -> bool:
    """Whether this is the same click, delivered again. A form whose acknowledgement was lost may be changed before it
    is sent again: then it is a new answer."""
    if last.clicked_at != answer.clicked_at:
        return False
    stored = (last.kind, last.label, last.reason, last.note)
    return not answer.in_form or stored == (answer.kind, answer.label, answer.reason, answer.note)


def _after(last: CurrentAnswer | None, answer: NewAnswer) -> NewAnswer:
    """Date a form after the person's latest answer: it is sent once and counts when it arrives, even if its person has
    clicked since they opened it."""
    if not answer.in_form or last is None or last.clicked_at < answer.clicked_at:
        return answer
    return replace(answer, clicked_at=last.clicked_at + 1)


def _check_newer(last: CurrentAnswer, clicked_at: int) -> None:
    if clicked_at < last.clicked_at:
        answer = answer_in_words(last.kind, last.label)
        raise Outdated(f"An older click arrived late and changed nothing. Your current answer: {answer}.")


def _check_votes_wanted(item: LockedItem, answers: Sequence[CurrentAnswer], queue: QueuePolicy) -> None:
    votes = sum(answer.kind.is_vote for answer in answers)
    if votes >= queue.consensus.votes:
        raise Refusal(f"Item {item.id} already has {votes} votes. No more are needed; yours was not counted.")


def _done_for_today(queue: QueuePolicy) -> Refusal:
    return Refusal(
        f"You've reached today's limit of {queue.workload.daily_cap} votes in {queue.shown_title}. "
        "Thank you! You can vote again tomorrow."
    )


def _settled_sentence(
    item: LockedItem, label: str | None, lead: str | None, tally: Mapping[str, int], person: str
) -> str:
    answer = shown_answer(label)
    if lead is not None:
        who = "you" if lead == person else "a lead"
        return f"{_decided(item)}: {answer}, by {who}. Your click changed nothing."
    total, agreeing = sum(tally.values()), tally.get(answer, 0)
    return f"{_decided(item)}: {answer} ({agreeing} of {total} votes). Your click changed nothing."


def _decided(item: LockedItem) -> str:
    return f"Item {item.id} is already decided"
