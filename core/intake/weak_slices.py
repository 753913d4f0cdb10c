"""Weak slices as rows: the findings of the newest look, and the leads' requests to have people asked about the
predictions of a slice.

A request ends when a lead stops it, when as many items as the policy allows were opened for it, after the policy's
days, and when another model answers, since that one may not be weak there.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from core.delivery.card_refs import CardRef
from core.errors import AlreadySettled, NotFound, Refusal
from core.people.permissions import require
from core.policy import Policy, QueuePolicy
from core.quality.slices import KnownRow, Look, WeakSlice, familiar_words
from core.records.learning import Live
from core.records.predictions import WaitingPrediction
from core.records.slices import FoundSlice, SliceRequest
from core.review.known_rows import present_version
from core.storage.database import insert
from core.vocabulary import AskingState, Reason, Role, SliceKind, WaitState

_OPEN = (  # built once: every batch of predictions asks
    select(SliceRequest)
    .where(SliceRequest.queue_id == bindparam("queue_id"), SliceRequest.ended_at.is_(None))
    .order_by(SliceRequest.id)
)
ASKS, STOPS = "have people asked about a slice", "stop questions about a slice"  # completes "Only leads can ___"


@dataclass(frozen=True)
class AskedSlice:
    """A slice about which people are asked. left: items that may still be opened for it."""

    request_id: int
    model_version: str
    look: Look
    familiar: frozenset[int]
    left: int

    @property
    def values(self) -> dict[str, str | int]:
        """The values for the flag's sentence."""
        return {"request": self.request_id, **asdict(self.look)}


class SliceRoom:
    """The room that requests about slices have for the first rows of the waiting list. Locks the requests for which
    some of these rows wait."""

    def __init__(
        self, session: Session, queue_id: int, rows: Sequence[WaitingPrediction], policy: QueuePolicy, now: datetime
    ) -> None:
        self._session, self._policy, self._now = session, policy, now
        of_slices = [row for row in rows if row.reason == Reason.WEAK_SLICE]
        asked = asked_slices(session, queue_id, policy, now) if of_slices else []
        left = room_left(session, asked, policy) if asked else {}
        self._over = set[int]()
        for row in of_slices:
            left[_request(row)] = left.get(_request(row), 0) - 1
            if left[_request(row)] < 0:
                self._over.add(row.prediction_id)

    def is_over(self, row: WaitingPrediction) -> bool:
        """Whether people are not asked about its slice any more, or the rows before it take all the room."""
        return row.reason == Reason.WEAK_SLICE and row.prediction_id in self._over

    def count(self, taken: Sequence[WaitingPrediction]) -> None:
        """Count the items that are opened for these rows."""
        opened = Counter(_request(row) for row in taken if row.reason == Reason.WEAK_SLICE)
        if opened:
            count_opened(self._session, opened, self._policy, self._now)


def store_slices(
    session: Session, queue_id: int, model: str, found: Sequence[WeakSlice], rows: Sequence[KnownRow], now: datetime
) -> None:
    """Store the slices that a look at these rows found to be weak in a model's answers. Other slices are not weak any
    more."""
    mine = (FoundSlice.queue_id == queue_id, FoundSlice.is_weak)
    session.execute(update(FoundSlice).where(*mine).values(is_weak=False))
    for weak in found:
        _store(session, queue_id, model, weak, rows, now, is_weak=True)
    session.expire_all()


def slice_of_label(session: Session, queue_id: int, model: str, label: str, now: datetime) -> int:
    """The id of the slice of all answers with this label. A drift alarm is about it; it may not have been found to be
    weak."""
    weak = WeakSlice(Look(SliceKind.LABEL, label), 0, 0, 0.0, 1.0)
    _store(session, queue_id, model, weak, (), now, is_weak=False)
    return session.scalars(select(FoundSlice.id).where(FoundSlice.queue_id == queue_id,
        FoundSlice.model_version == model, FoundSlice.key == _key(weak.look))).one()  # fmt: skip


def slice_meant(session: Session, subject: CardRef) -> FoundSlice:
    """The slice of a control. Raises NotFound."""
    found = session.get(FoundSlice, subject.id)
    if found is None:
        raise NotFound("This slice does not exist any more. Type `/goldloop slices` for the present ones.")
    subject.require(found.found_at)
    return found


def look_of(found: FoundSlice) -> Look:
    return Look(SliceKind(found.kind), found.value, found.name, found.other)


def ask_about(session: Session, subject: CardRef, person: str, now: datetime, policy: Policy) -> int:
    """Have people asked about predictions of a slice that come from now on, as a lead requests. Returns the request's
    id. Locks the queue's Live row. Raises NotAllowed, and Refusal if people are asked about this slice already, or
    about as many slices as the policy allows, or if another model answers now."""
    found = slice_meant(session, subject)
    queue = policy.queue(found.queue.name)
    require(session, found.queue, Role.LEAD, person, ASKS, queue)
    session.get_one(Live, found.queue_id, with_for_update=True, populate_existing=True)
    running = asked_slices(session, found.queue_id, queue, now)
    if found.model_version != present_version(session, found.queue_id):
        raise Refusal("Another model answers now, which may not be weak here. Type `/goldloop slices` to look again.")
    if any(one.look == look_of(found) for one in running):
        raise Refusal("People are asked about this slice already.")
    if len(running) >= queue.slices.asked:
        raise Refusal(
            f"People are asked about as many weak slices as the policy allows (`slices.asked = {queue.slices.asked}`). "
            "Stop another one first."
        )
    _end(session, SliceRequest.slice_id == found.id, None, now)  # a former request that is over but not ended
    request = SliceRequest(
        queue_id=found.queue_id, slice_id=found.id, asked_by=person, asked_at=now, opened=0,
        policy_fingerprint=queue.fingerprint,
    )  # fmt: skip
    session.add(request)
    session.flush()
    return request.id


def stop_asking(session: Session, subject: CardRef, person: str, now: datetime, policy: Policy) -> None:
    """Stop a request: no further items are opened for it, and those that are open stay. Locks the request. Raises
    NotAllowed, and AlreadySettled if people are not asked about this slice."""
    found = slice_meant(session, subject)
    queue = policy.queue(found.queue.name)
    require(session, found.queue, Role.LEAD, person, STOPS, queue)
    running = [one for one in asked_slices(session, found.queue_id, queue, now) if one.look == look_of(found)]
    if not running or not _end(session, SliceRequest.id == running[0].request_id, person, now):
        raise AlreadySettled("People aren't asked about this slice.")


def asked_slices(session: Session, queue_id: int, policy: QueuePolicy, now: datetime) -> list[AskedSlice]:
    """The slices about which people are asked now, the oldest request first."""
    open_ones = session.scalars(_OPEN, {"queue_id": queue_id}).all() if policy.slices.asked else []
    if not open_ones:
        return []
    model = present_version(session, queue_id)
    return [
        _asked(one, policy)
        for one in open_ones
        if asking_state(one, model, policy, now) is AskingState.ASKING
    ][: policy.slices.asked]  # fmt: skip


def asking_state(request: SliceRequest, model: str | None, policy: QueuePolicy, now: datetime) -> AskingState:
    """The state of a request. model: the present one."""
    if request.ended_by is not None:
        return AskingState.STOPPED
    if request.opened >= policy.slices.items:
        return AskingState.ENOUGH
    if request.found.model_version != model:
        return AskingState.OUTDATED
    if request.ended_at is not None or now >= request.asked_at + timedelta(days=policy.slices.days):
        return AskingState.LAPSED
    return AskingState.ASKING


def room_left(session: Session, asked: Sequence[AskedSlice], policy: QueuePolicy) -> dict[int, int]:
    """How many items may be opened for each request. Locks the requests, so that two processes do not fill the same
    room."""
    ids = [one.request_id for one in asked]
    locked = select(SliceRequest).where(SliceRequest.id.in_(ids), SliceRequest.ended_at.is_(None))
    rows = session.scalars(
        locked.order_by(SliceRequest.id)
        .with_for_update(of=SliceRequest)
        .execution_options(populate_existing=True)
    ).all()  # fmt: skip
    return {row.id: max(0, policy.slices.items - row.opened) for row in rows}


def count_opened(session: Session, opened: Mapping[int, int], policy: QueuePolicy, now: datetime) -> None:
    """Count the items that were opened for each request. The caller has locked the requests. A request that is full
    ends."""
    for request_id, items in opened.items():
        added = update(SliceRequest).where(SliceRequest.id == request_id).values(opened=SliceRequest.opened + items)
        session.execute(added)
    full = SliceRequest.id.in_(opened) & (SliceRequest.opened >= policy.slices.items)
    _end(session, full, None, now)


def _store(
    session: Session, queue_id: int, model: str, weak: WeakSlice, rows: Sequence[KnownRow], now: datetime, is_weak: bool
) -> None:
    """Store a slice. The time at which it was first found stays; so do its numbers if it is not weak now."""
    familiar = familiar_words(rows) if weak.look.kind is SliceKind.STRANGE_WORDS else []
    numbers = {
        "rows": weak.rows, "wrong": weak.wrong, "others": weak.others, "p_value": weak.p_value,
        "whys": dict(weak.whys), "missed": weak.missed, "familiar": familiar, "is_weak": is_weak,
    }  # fmt: skip
    row = insert(session, FoundSlice).values(
        queue_id=queue_id, model_version=model, key=_key(weak.look), found_at=now, **asdict(weak.look), **numbers
    )
    same = ["queue_id", "model_version", "key"]
    session.execute(
        row.on_conflict_do_update(index_elements=same, set_=numbers)
        if is_weak
        else row.on_conflict_do_nothing(index_elements=same)
    )


def _key(look: Look) -> str:
    return sha256(json.dumps([look.kind, look.name, look.value, look.other]).encode()).hexdigest()


def _asked(request: SliceRequest, policy: QueuePolicy) -> AskedSlice:
    found = request.found
    left = policy.slices.items - request.opened
    return AskedSlice(request.id, found.model_version, look_of(found), frozenset(found.familiar), left)


def _request(row: WaitingPrediction) -> int:
    return int(row.values["request"])


def _end(session: Session, which: object, person: str | None, now: datetime) -> bool:
    """End these requests, and take the predictions that wait for their room off the waiting list. Returns whether any
    was open."""
    ended = update(SliceRequest).where(which, SliceRequest.ended_at.is_(None)).values(ended_by=person, ended_at=now)  # type: ignore[arg-type]
    ids = session.scalars(ended.returning(SliceRequest.id)).all()
    for request_id in ids:
        waits = (WaitingPrediction.reason == Reason.WEAK_SLICE, WaitingPrediction.ended_at.is_(None))
        of_it = WaitingPrediction.values["request"].as_integer() == request_id
        session.execute(
            update(WaitingPrediction).where(*waits, of_it).values(state=WaitState.LAPSED, ended_at=now),
            execution_options={"synchronize_session": False},
        )
    session.expire_all()
    return bool(ids)
