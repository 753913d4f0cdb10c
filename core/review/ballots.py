"""Ballots: locked items with all that decides about them, read in a few statements for many items and changed in memory
while votes are counted.

The changes of a set of votes are collected in their order and stored at once, each table in one statement.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import Table, Update
from sqlalchemy.orm import Session

from core.delivery.outbox import Redraw
from core.delivery.webhooks import publish_all
from core.people.members import Seats, locked_seats
from core.policy import QueuePolicy
from core.records.reviews import Answer, Escalation, ReviewItem
from core.review.answers import CurrentAnswer, answers_to, current
from core.review.assignments import active_reviewers, assigned_people
from core.review.consensus import Dispute
from core.review.corrections import Outcome, Settlement, apply_effects, choose_destinations, settle_all, settled_events
from core.review.items import LockedItem, completed, locking
from core.review.presenting import items_changed
from core.review.workload import done_since, recent_answers
from core.storage.bulk import Bulk, Changes, insert_all, update_all
from core.storage.database import kind_of
from core.storage.lists import among, as_list
from core.storage.ready import ask, ask_all, at_once, send
from core.vocabulary import EventKind, ItemState, Role

_NEW = Bulk(
    cast(Table, Answer.__table__),
    same=(),
    each=(
        "item_id", "person", "kind", "label", "reason", "note", "suggestion_shown", "guideline_version", "clicked_at",
        "created_at", "is_current",
    ),
)  # fmt: skip
_ESCALATED = Bulk(cast(Table, Escalation.__table__), same=(), each=("item_id", "because", "values", "at"))
_STATES = Changes(
    cast(Table, ReviewItem.__table__), each=("state", "disputed_because", "disputed_values", "settled_at")
)


@dataclass
class Ballot:
    """An item with its answers and its reviewers. answers: one for each person who ever answered, also if it was
    withdrawn, oldest first. reviewers: those of the queue who are active and not paused. assigned: the people to whom
    the item is assigned; None: it is for all reviewers."""

    item: LockedItem
    answers: list[CurrentAnswer]
    reviewers: frozenset[str]
    assigned: frozenset[str] | None

    @property
    def left(self) -> int:
        """The number of reviewers who can still answer."""
        answered = {answer.person for answer in current(self.answers)}
        return sum(self.is_asked(person) for person in self.reviewers - answered)

    def is_asked(self, person: str) -> bool:
        return self.assigned is None or person in self.assigned

    def last(self, person: str) -> CurrentAnswer | None:
        """The person's latest answer to the item, also if it was withdrawn."""
        return next((answer for answer in self.answers if answer.person == person), None)


@dataclass(frozen=True)
class Superseding:
    """A new answer, and the former one of the same person."""

    ballot: Ballot
    new: CurrentAnswer
    former: CurrentAnswer | None


@dataclass
class Ballots:
    """The ballots of a set of votes, by item, and what the set changes, in the order in which it was decided.
    recent_answers: how often people have answered, see `recent_answers` in core/review/workload.py."""

    by_item: Mapping[int, Ballot]
    recent_answers: Mapping[str, int]
    new_answers: list[Superseding] = field(default_factory=list)
    settlements: dict[int, Settlement] = field(default_factory=dict)
    _redraws: list[Redraw] = field(default_factory=list)
    _escalations: list[dict[str, Any]] = field(default_factory=list)
    _done: dict[datetime, dict[tuple[int, str], int]] = field(default_factory=dict)

    def supersede(self, ballot: Ballot, new: CurrentAnswer) -> None:
        """Make this answer the person's latest one."""
        former = ballot.last(new.person)
        ballot.answers = [answer for answer in ballot.answers if answer is not former] + [new]
        self.new_answers.append(Superseding(ballot, new, former))

    def settle(self, ballot: Ballot, outcome: Outcome, now: datetime, queue: QueuePolicy) -> None:
        self.settlements[ballot.item.id] = Settlement(ballot.item, outcome, now, queue)
        self._change(ballot, ItemState.SETTLED, None, now, settled_at=now)

    def wait(self, ballot: Ballot, dispute: Dispute | None, now: datetime) -> None:
        """Leave the item unsettled: open, or disputed for this reason."""
        state = ItemState.OPEN if dispute is None else ItemState.DISPUTED
        self._change(ballot, state, dispute, now, settled_at=ballot.item.settled_at)

    def has_done(
        self, session: Session, cap: int, queue_id: int, person: str, people: Collection[str], since: datetime
    ) -> bool:
        """Whether the person has reached the cap of votes in the queue since then, with the votes that are not stored
        yet. people: everyone about whom this may be asked. Votes are counted only for people with as many answers as
        the cap: counting takes longer the more a person has voted that day."""
        mine = [one for one in self.new_answers if one.new.person == person]
        if self.recent_answers.get(person, 0) + len(mine) < cap:
            return False
        if since not in self._done:
            self._done[since] = done_since(session, people, since)
        here = [one for one in mine if one.ballot.item.queue.id == queue_id]
        changes = sum(_counts(one.new, since) - _counts(one.former, since) for one in here)
        return self._done[since].get((queue_id, person), 0) + changes >= cap

    def store(self, session: Session) -> None:
        """Write all changes. To be called once."""
        if not self._redraws:
            self._store_answers(session)  # mostly one statement, which takes twice as long in a pipeline
            return
        settlements = [*self.settlements.values()]
        chosen = choose_destinations(session, settlements)
        with at_once(session):
            self._store_answers(session)
            stored = settle_all(session, settlements, chosen)
            items_changed(session, self._redraws)
        settled = stored()
        apply_effects(session, settled)
        publish_all(session, EventKind.ITEM_SETTLED, settled_events(session, settled))

    def _store_answers(self, session: Session) -> None:
        outdated = [one.former.id for one in self.new_answers if one.former is not None and one.former.id is not None]
        if outdated:
            kind = kind_of(session)
            send(session, _outdated(kind), {"ids": as_list(kind, outdated)})
        insert_all(session, _NEW, {}, [_row(one) for one in self.new_answers])
        changed = {one.subject_id: self.by_item[one.subject_id].item for one in self._redraws}
        update_all(session, _STATES, [_state(item) for item in changed.values()])
        insert_all(session, _ESCALATED, {}, self._escalations)

    def _change(
        self, ballot: Ballot, state: ItemState, dispute: Dispute | None, now: datetime, settled_at: datetime | None
    ) -> None:
        item, because = ballot.item, "" if dispute is None else str(dispute.because)
        values = {} if dispute is None else dispute.values
        if (item.state, item.disputed_because, item.disputed_values) == (state, because, values):
            return
        if state is ItemState.DISPUTED and item.state is not state:
            self._escalations.append({"item_id": item.id, "because": because, "values": values, "at": now})
        ballot.item = replace(
            item, state=state, disputed_because=because, disputed_values=values, settled_at=settled_at
        )
        self._redraws.append(Redraw(item.id, now, urgent=state is not ItemState.OPEN))


def open_ballots(session: Session, items: Sequence[LockedItem]) -> Ballots:
    """The ballots of items that the caller has locked. They stay as they are only while these locks, and those of the
    people's seats, are held."""
    kind, ids = kind_of(session), [item.id for item in items]
    answers, reviewers = ask_all(session, [answers_to(kind, ids), active_reviewers(kind, ids)])
    return _opened(session, items, answers, reviewers, {})


def locked_ballots(
    session: Session, ids: Collection[int], people: Collection[str], now: datetime, wait: bool
) -> tuple[Ballots, Seats, set[int]]:
    """Lock these items, then the people's seats as reviewers, and read the ballots. Third: ids of items that another
    transaction has locked, if it is not waited for. now: of the first vote.

    All statements are sent at once. Each reads the state at the moment at which PostgreSQL runs it, so the later ones
    see what is true behind the locks of the first.
    """
    kind = kind_of(session)
    items, seats, counts, answers, reviewers = ask_all(
        session,
        [
            locking(kind, ids, wait),
            locked_seats(kind, ids, people, Role.REVIEWER, wait),
            recent_answers(kind, people, now),
            answers_to(kind, ids),
            active_reviewers(kind, ids),
        ],
    )
    found, held = completed(session, ids, items, wait)
    return _opened(session, found.values(), answers, reviewers, counts), seats, held


def _opened(
    session: Session,
    items: Collection[LockedItem],
    answers: Mapping[int, list[CurrentAnswer]],
    reviewers: Mapping[int, frozenset[str]],
    answer_counts: Mapping[str, int],
) -> Ballots:
    narrowed = [item.id for item in items if item.narrowed]
    assigned = ask(session, assigned_people(kind_of(session), narrowed)) if narrowed else {}
    by_item = {
        item.id: Ballot(
            item, answers.get(item.id, []), reviewers.get(item.queue.id, frozenset()), assigned.get(item.id)
        )
        for item in items
    }
    return Ballots(by_item, answer_counts)


def _counts(answer: CurrentAnswer | None, since: datetime) -> bool:
    return answer is not None and answer.kind.is_vote and answer.created_at >= since


def _row(one: Superseding) -> dict[str, Any]:
    item = one.ballot.item
    shown = {"item_id": item.id, "suggestion_shown": not item.blind}
    is_current = any(answer is one.new for answer in one.ballot.answers)
    return {name: value for name, value in vars(one.new).items() if name != "id"} | shown | {"is_current": is_current}


def _state(item: LockedItem) -> dict[str, Any]:
    return {name: getattr(item, name) for name in ("id", *_STATES.each)}


@cache
def _outdated(kind: str) -> Update:
    return cast(Table, Answer.__table__).update().where(among(Answer.id, kind, "ids")).values(is_current=False)
