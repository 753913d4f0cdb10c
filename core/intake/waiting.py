"""The waiting list of a queue with a budget: items are opened for its first predictions until the day's budget is used
up.

Audited predictions come first and stay on the list until they are opened. The others are ordered by score and leave the
list after a week without having been seen; they count as accepted then, and the audit represents them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, and_, case, or_, select, update
from sqlalchemy.orm import Session

from core.intake.day_room import room_today
from core.intake.reasons.table import LOTS, REASONS
from core.intake.weak_slices import SliceRoom
from core.policy import QueuePolicy
from core.queues import queue_named
from core.records.predictions import Flag, FlagCut, Prediction, WaitingPrediction
from core.records.queues import Queue
from core.records.reviews import ReviewItem
from core.review.items import ToReview, open_items
from core.review.questions import ABOUT_PREDICTION
from core.storage.bulk import Bulk, insert_all
from core.vocabulary import Reason, WaitState

LAPSE = timedelta(days=7)
PIECE = 200  # items opened in one transaction: no click waits long
_LINE = Bulk(
    cast(Table, WaitingPrediction.__table__),
    same=("queue_id", "state", "came_at"),
    each=("prediction_id", "reason", "values", "score", "scored_by"),
    key=("prediction_id", "reason"),
)


@dataclass(frozen=True)
class Candidate:
    """A prediction for the list. score: how suspicious it is, in [0, 1]. scored_by: the Goldloop model that gave the
    score; None: the sender's own model."""

    prediction_id: int
    reason: Reason
    values: Mapping[str, Any]
    score: float
    scored_by: str | None = None


def put_in_line(session: Session, queue_id: int, candidates: Sequence[Candidate], now: datetime) -> None:
    """Put predictions on the list. One that is on it for the same reason already stays as it is."""
    insert_all(
        session,
        _LINE,
        {"queue_id": queue_id, "state": WaitState.WAITING, "came_at": now},
        [vars(one) for one in candidates],
    )


def may_open(session: Session, policy: QueuePolicy, now: datetime) -> bool:
    """Whether `open_next` may find something to do. It only reads and locks nothing, so it can be called every few
    seconds, also while the day's budget is used up."""
    queue_id = queue_named(session, policy.name).id
    cut = session.get(FlagCut, queue_id)
    if cut is None or policy.flagging.limit is None or not _is_there(session, _waits(queue_id)):
        return False
    if _is_there(session, _lapses(queue_id, now)):
        return True
    room = room_today(session, queue_id, cut.volume, policy, now)
    if room > 0 or _is_there(session, _waits(queue_id) & (WaitingPrediction.reason == Reason.WEAK_SLICE)):
        return True
    audited = [row for row in _first(session, queue_id)[:1] if row.reason == Reason.AUDIT]
    return room == 0 and bool(_with_items(session, audited))


def open_next(session: Session, policy: QueuePolicy, now: datetime) -> int:
    """Open items for the first predictions on the waiting list, as far as the day's budget allows, and remove those
    that have waited for a week. Returns how many were handled; fewer than 200: there are no more for now. Locks the
    queue's cut, so that two processes do not spend the same part of the budget. Without a cut, nothing is opened yet.
    Repeating it is safe."""
    queue = queue_named(session, policy.name)
    cut = session.get(FlagCut, queue.id, with_for_update=True, populate_existing=True)
    if cut is None or policy.flagging.limit is None:
        return 0
    _lapse(session, queue.id, now)
    room = room_today(session, queue.id, cut.volume, policy, now)
    taken: list[WaitingPrediction] = []
    first = _first(session, queue.id)
    has_item = _with_items(session, first)
    slices = SliceRoom(session, queue.id, first, policy, now)
    over = [row for row in first if slices.is_over(row)]
    for row in over:
        row.state, row.ended_at = WaitState.LAPSED, now
    for row in first:
        if row in over:
            continue
        cost = int(row.prediction_id not in has_item)
        if room < cost or (room == 0 and row.reason != Reason.AUDIT):  # audited rows pay for their item as others do
            break
        room -= cost
        has_item.add(row.prediction_id)
        taken.append(row)
    _open(session, taken, queue, now, policy)
    slices.count(taken)
    return len(taken) + len(over)


def _lapse(session: Session, queue_id: int, now: datetime) -> None:
    """Remove predictions that waited too long or were erased."""
    lapsed = update(WaitingPrediction).where(_lapses(queue_id, now))
    session.execute(lapsed.values(state=WaitState.LAPSED, ended_at=now))


def _waits(queue_id: int) -> ColumnElement[bool]:
    return and_(WaitingPrediction.queue_id == queue_id, WaitingPrediction.ended_at.is_(None))


def _lapses(queue_id: int, now: datetime) -> ColumnElement[bool]:
    erased = select(Prediction.id).where(Prediction.queue_id == queue_id, Prediction.erased_at.is_not(None))
    over = (WaitingPrediction.reason != Reason.AUDIT) & (WaitingPrediction.came_at < now - LAPSE)
    return and_(_waits(queue_id), or_(over, WaitingPrediction.prediction_id.in_(erased)))


def _is_there(session: Session, condition: ColumnElement[bool]) -> bool:
    return session.scalar(select(WaitingPrediction.prediction_id).where(condition).limit(1)) is not None


def _first(session: Session, queue_id: int) -> Sequence[WaitingPrediction]:
    """The waiting predictions to open first: by reason, then by score."""
    rank = case({reason: place for place, reason in enumerate(REASONS)}, value=WaitingPrediction.reason)
    found = (
        select(WaitingPrediction)
        .where(_waits(queue_id))
        .order_by(rank, WaitingPrediction.score.desc(), WaitingPrediction.prediction_id)
        .limit(PIECE)
    )
    return session.scalars(found).all()


def _with_items(session: Session, rows: Sequence[WaitingPrediction]) -> set[int | None]:
    found = select(ReviewItem.prediction_id).where(
        ReviewItem.prediction_id.in_([row.prediction_id for row in rows]), ABOUT_PREDICTION
    )
    return set(session.scalars(found))


def _open(
    session: Session, rows: Sequence[WaitingPrediction], queue: Queue, now: datetime, policy: QueuePolicy
) -> None:
    """Open an item for each prediction that has none. If a rule put the prediction on the list, set its
    `flag_probability`, even if the item was open already."""
    drawn = _drawn(session, rows)
    there = _with_items(session, rows)
    fresh = dict.fromkeys(row.prediction_id for row in rows if row.prediction_id not in there)
    first = sorted(fresh, key=lambda one: one not in drawn)  # randomly drawn ones are settled first
    hashes = dict(session.execute(select(Prediction.id, Prediction.content_hash).where(Prediction.id.in_(fresh))).all())
    for row in rows:
        row.state, row.ended_at = WaitState.OPENED, now
    by_rule = [row for row in rows if row.reason != Reason.AUDIT]
    session.add_all(_flag(row, now, policy) for row in by_rule)
    ids = [row.prediction_id for row in by_rule]
    session.execute(update(Prediction).where(Prediction.id.in_(ids)).values(flag_probability=1.0))
    session.flush()
    open_items(session, [ToReview(one, hashes[one], True, one in drawn) for one in first], queue, now, policy)


def _drawn(session: Session, rows: Sequence[WaitingPrediction]) -> set[int]:
    ids = [row.prediction_id for row in rows]
    return set(session.scalars(select(Flag.prediction_id).where(Flag.prediction_id.in_(ids), Flag.reason.in_(LOTS))))


def _flag(row: WaitingPrediction, now: datetime, policy: QueuePolicy) -> Flag:
    return Flag(
        prediction_id=row.prediction_id,
        reason=row.reason,
        values=dict(row.values),
        inclusion_probability=1.0,
        policy_fingerprint=policy.fingerprint,
        created_at=now,
    )
