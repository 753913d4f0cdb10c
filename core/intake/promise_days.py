"""A queue's promise day by day: what was promised, and how many wrong and unseen answers the audit found."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.intake.daily_readings import whole_days
from core.learning.evaluation.intervals import Interval, jeffreys
from core.policy import QueuePolicy
from core.queues import queue_named
from core.records.predictions import Flag, Prediction
from core.records.reviews import Correction, ReviewItem
from core.review.questions import ABOUT_PREDICTION
from core.vocabulary import Reason

SHOWN = 42  # days
WINDOW = 7  # days that each point is taken from: a day alone has a handful of audits

_REVIEWED = Prediction.flag_probability >= 1
_AUDITED = select(Flag.id).where(Flag.prediction_id == Prediction.id, Flag.reason == Reason.AUDIT).exists()

Day = tuple[datetime, datetime]


@dataclass(frozen=True)
class PromiseDay:
    """A day of the promise. found: the share of wrong and unseen answers in the seven days that end with this one, with
    a 95 % interval; None: no audit of these days is settled. audits: the number of settled ones."""

    began: datetime
    found: Interval | None
    audits: int


@dataclass(frozen=True)
class PromiseDays:
    """The days of a promise. promised: a share of all answers. days: oldest first, from the first day on for which
    something was found."""

    queue_title: str
    promised: float
    days: tuple[PromiseDay, ...]


@dataclass(frozen=True)
class _Counts:
    rows: int
    accepted: int
    audits: int
    wrong: int


def promise_days(session: Session, policy: QueuePolicy, now: datetime) -> PromiseDays | None:
    """The days of a queue's promise. None: the queue promises nothing, or nothing was found yet. Unsettled audits are
    left out here; the promise itself counts them as wrong."""
    promised = policy.flagging.promised
    if promised is None:
        return None
    queue_id = queue_named(session, policy.name).id
    days = whole_days(policy, now)[-(SHOWN + WINDOW) :]
    counts = [_counts(session, queue_id, day) for day in days]
    points = [
        _point(day[0].astimezone(policy.zone), counts[max(0, place - WINDOW + 1) : place + 1])
        for place, day in enumerate(days)
    ][-SHOWN:]
    first = next((place for place, point in enumerate(points) if point.found is not None), None)
    return None if first is None else PromiseDays(policy.shown_title, promised, tuple(points[first:]))


def _counts(session: Session, queue_id: int, day: Day) -> _Counts:
    mine = (
        Prediction.queue_id == queue_id, Prediction.created_at >= day[0], Prediction.created_at < day[1],
        Prediction.lot_probability > 0, Prediction.label.is_not(None),
    )  # fmt: skip
    rows = select(_REVIEWED, func.count()).where(*mine).group_by(_REVIEWED)
    counted = {bool(reviewed): n for reviewed, n in session.execute(rows)}
    settled = (
        select(Correction.model_was_right, func.count())
        .select_from(Prediction)
        .join(ReviewItem, ReviewItem.prediction_id == Prediction.id)
        .join(Correction, Correction.item_id == ReviewItem.id)
        .where(*mine, ~_REVIEWED, _AUDITED, ABOUT_PREDICTION, Correction.is_current)
        .group_by(Correction.model_was_right)
    )
    right = Counter({bool(was_right): n for was_right, n in session.execute(settled)})
    return _Counts(sum(counted.values()), counted.get(False, 0), right.total(), right[False])


def _point(began: datetime, counts: Sequence[_Counts]) -> PromiseDay:
    rows, audits = sum(one.rows for one in counts), sum(one.audits for one in counts)
    if not audits:
        return PromiseDay(began, None, 0)
    accepted = sum(one.accepted for one in counts) / rows
    share = jeffreys(sum(one.wrong for one in counts), audits)
    found = Interval(accepted * share.estimate, accepted * share.low, accepted * share.high)
    return PromiseDay(began, found, audits)
