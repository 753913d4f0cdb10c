"""Ballots: items whose locks are held, with all that decides about them, read in a few statements for many items and
changed in memory while votes are counted.

What a set of votes changes is gathered in their order and stored at once, each table in one statement.
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
from core.review.corrections import Outcome, Settlement, choose_all, follow_all, happened, settle_all
from core.review.items import LockedItem, completed, locking
from core.review.presenting import items_changed
from core.review.workload import done_since, said_lately
from core.storage.bulk import Bulk, Changes, among, as_list, insert_all, update_all
from core.storage.database import kind_of
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
    """answers: one per person who ever answered, withdrawn or not, oldest first. reviewers: those of the
    queue who are active and not paused. assigned: who is asked, if the item is not for all of them."""

    item: LockedItem
    answers: list[CurrentAnswer]
    reviewers: frozenset[str]
    assigned: frozenset[str] | None

    @property
    def left(self) -> int:
        """How many can still answer."""
        answered = {answer.person for answer in current(self.answers)}
        return sum(self.is_asked(person) for person in self.reviewers - answered)

    def is_asked(self, person: str) -> bool:
        return self.assigned is None or person in self.assigned

    def last(self, person: str) -> CurrentAnswer | None:
        """The person's newest word about the item, withdrawn or not."""
        return next((answer for answer in self.answers if answer.person == person), None)


@dataclass(frozen=True)
class Superseding:
    """An answer that is new, and the former one of the same person."""

    ballot: Ballot
    new: CurrentAnswer
    former: CurrentAnswer | None


@dataclass
class Ballots:
    """Those of one set of votes, by item, and what the set changes, in the order in which it was decided.
    said_lately: how often people have answered, of that name in core/review/workload.py."""

    of: Mapping[int, Ballot]
    said_lately: Mapping[str, int]
    said: list[Superseding] = field(default_factory=list)
    settlements: dict[int, Settlement] = field(default_factory=dict)
    _redraws: list[Redraw] = field(default_factory=list)
    _escalations: list[dict[str, Any]] = field(default_factory=list)
    _done: dict[datetime, dict[tuple[int, str], int]] = field(default_factory=dict)

    def supersede(self, ballot: Ballot, new: CurrentAnswer) -> None:
        """The person's newest word about the item is this one."""
        former = ballot.last(new.person)
        ballot.answers = [answer for answer in ballot.answers if answer is not former] + [new]
        self.said.append(Superseding(ballot, new, former))

    def settle(self, ballot: Ballot, outcome: Outcome, now: datetime, queue: QueuePolicy) -> None:
        self.settlements[ballot.item.id] = Settlement(ballot.item, outcome, now, queue)
        self._change(ballot, ItemState.SETTLED, None, now, settled_at=now)

    def wait(self, ballot: Ballot, dispute: Dispute | None, now: datetime) -> None:
        """It is not settled: open, or disputed for this reason."""
        state = ItemState.OPEN if dispute is None else ItemState.DISPUTED
        self._change(ballot, state, dispute, now, settled_at=ballot.item.settled_at)

    def has_done(
        self, session: Session, cap: int, queue_id: int, person: str, people: Collection[str], since: datetime
    ) -> bool:
        """Whether `Load.done_today`, with what is not stored yet, has reached the cap. people: of whom it may be asked.
        Votes are counted only for those who have answered so often: what a person did that day would take longer to
        count with each vote."""
        mine = [one for one in self.said if one.new.person == person]
        if self.said_lately.get(person, 0) + len(mine) < cap:
            return False
        if since not in self._done:
            self._done[since] = done_since(session, people, since)
        here = [one for one in mine if one.ballot.item.queue.id == queue_id]
        changes = sum(_counts(one.new, since) - _counts(one.former, since) for one in here)
        return self._done[since].get((queue_id, person), 0) + changes >= cap

    def store(self, session: Session) -> None:
        """Write what was changed. To be called once."""
        if not self._redraws:
            self._store_words(session)  # mostly one statement, which takes twice as long in a pipeline
            return
        settlements = [*self.settlements.values()]
        chosen = choose_all(session, settlements)
        with at_once(session):
            self._store_words(session)
            stored = settle_all(session, settlements, chosen)
            items_changed(session, self._redraws)
        settled = stored()
        follow_all(session, settled)
        publish_all(session, EventKind.ITEM_SETTLED, happened(session, settled))

    def _store_words(self, session: Session) -> None:
        outdated = [one.former.id for one in self.said if one.former is not None and one.former.id is not None]
        if outdated:
            kind = kind_of(session)
            send(session, _outdated(kind), {"ids": as_list(kind, outdated)})
        insert_all(session, _NEW, {}, [_row(one) for one in self.said])
        changed = {one.subject_id: self.of[one.subject_id].item for one in self._redraws}
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
    """Of items whose locks the caller holds: only behind these, and those of people's seats, do they stay as they
    are."""
    kind, ids = kind_of(session), [item.id for item in items]
    answers, reviewers = ask_all(session, [answers_to(kind, ids), active_reviewers(kind, ids)])
    return _opened(session, items, answers, reviewers, {})


def locked_ballots(
    session: Session, ids: Collection[int], people: Collection[str], now: datetime, wait: bool
) -> tuple[Ballots, Seats, set[int]]:
    """Of these items, which are locked for it, and then the people's seats as reviewers. All of it is asked at once:
    what a statement reads is of the moment at which PostgreSQL comes to it, so after the locks before it. Third: ids of
    items that another transaction has locked, if it is not waited for. now: of the first vote."""
    kind = kind_of(session)
    items, seats, said, answers, reviewers = ask_all(
        session,
        [
            locking(kind, ids, wait),
            locked_seats(kind, ids, people, Role.REVIEWER, wait),
            said_lately(kind, people, now),
            answers_to(kind, ids),
            active_reviewers(kind, ids),
        ],
    )
    found, held = completed(session, ids, items, wait)
    return _opened(session, found.values(), answers, reviewers, said), seats, held


def _opened(
    session: Session,
    items: Collection[LockedItem],
    answers: Mapping[int, list[CurrentAnswer]],
    reviewers: Mapping[int, frozenset[str]],
    said: Mapping[str, int],
) -> Ballots:
    narrowed = [item.id for item in items if item.narrowed]
    assigned = ask(session, assigned_people(kind_of(session), narrowed)) if narrowed else {}
    of = {
        item.id: Ballot(
            item, answers.get(item.id, []), reviewers.get(item.queue.id, frozenset()), assigned.get(item.id)
        )
        for item in items
    }
    return Ballots(of, said)


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
