"""Daily readings: the predictions that came and the items that were settled on each day of a queue, one row a day.

Traffic is counted once, when its day has ended. Settled items are counted again for two weeks, under the day on which
their prediction came, so that working off a backlog does not look like a change.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import ColumnElement, Integer, cast, func, or_, select, text, update
from sqlalchemy.orm import Session

from core.policy import QueuePolicy
from core.quality.drift import BINS, LONGEST, WINDOWS, DayCounts
from core.queues import queue_named
from core.records.drift import DailyReading
from core.records.predictions import Flag, Prediction
from core.records.reviews import Correction, ReviewItem
from core.review.questions import ABOUT_PREDICTION
from core.review.workload import day_began
from core.storage.database import insert
from core.vocabulary import Reason

READ_BACK = LONGEST + max(WINDOWS)  # days
SETTLED_LATER = 14  # days whose settled items are counted again
BELOW_HALF = 1e-9  # both databases round the edges of the bins alike then


def _flagged_for(reason: Reason) -> ColumnElement[bool]:
    return select(Flag.id).where(Flag.prediction_id == Prediction.id, Flag.reason == reason).exists()


_REPORTED = _flagged_for(Reason.PERSON)
# People were asked about a slice that is weak: more of its rows are settled then, and more of them are wrong.
_OF_SLICE = _flagged_for(Reason.WEAK_SLICE) & ~_flagged_for(Reason.AUDIT)


@dataclass(frozen=True)
class SettledCounts:
    """The counts of a day that grow as people settle items."""

    none_of_these: int
    settled: Mapping[str, int]
    wrong: Mapping[str, int]


def whole_days(policy: QueuePolicy, now: datetime) -> list[tuple[datetime, datetime]]:
    """The last 67 whole days in the queue's time zone, oldest first: when each began and ended."""
    noon = now.astimezone(policy.zone).replace(hour=12)
    edges = [day_began(noon - timedelta(days=ago), policy.zone) for ago in range(READ_BACK, -1, -1)]
    return list(pairwise(edges))


def unread_day(session: Session, policy: QueuePolicy, now: datetime) -> tuple[datetime, datetime] | None:
    """The oldest whole day since the first prediction that was not read yet. None: all days were read."""
    queue_id = queue_named(session, policy.name).id
    first = session.scalar(select(func.min(Prediction.created_at)).where(Prediction.queue_id == queue_id))
    days = [day for day in whole_days(policy, now) if first is not None and day[1] > first]
    read = set(session.scalars(select(DailyReading.began_at).where(DailyReading.queue_id == queue_id)))
    return next((day for day in days if day[0] not in read), None)


def read_day(session: Session, queue_id: int, day: tuple[datetime, datetime], zone_weekday: int) -> DayCounts:
    """The counts of a day, from the rows that came on it. A row that came only because a person flagged it is not
    traffic."""
    twentieth = cast(func.round(Prediction.confidence * BINS - 0.5 + BELOW_HALF), Integer).label("twentieth")
    found = session.execute(
        select(Prediction.model_version, twentieth, func.count())
        .where(*_traffic(queue_id, day))
        .group_by(Prediction.model_version, text("twentieth"))
    ).all()
    models, bins = Counter[str](), Counter[int]()
    for model, place, number in found:
        models[model] += number
        if place is not None:
            bins[min(BINS - 1, max(0, place))] += number
    return DayCounts(
        weekday=zone_weekday,
        rows=models.total(),
        model=models.most_common(1)[0][0] if models else None,
        confidences=tuple(bins[place] for place in range(BINS)),
        **vars(_settled(session, queue_id, day)),
    )


def store_day(session: Session, queue_id: int, began: datetime, counts: DayCounts) -> None:
    """Store the counts of a day. A day that is already stored stays as it is."""
    values = {
        "queue_id": queue_id, "began_at": began, "rows": counts.rows, "model": counts.model,
        "none_of_these": counts.none_of_these, "settled": dict(counts.settled or {}), "wrong": dict(counts.wrong or {}),
        "confidences": {str(place): count for place, count in enumerate(counts.confidences) if count},
    }  # fmt: skip
    session.execute(insert(session, DailyReading).values(**values).on_conflict_do_nothing())


def settled_later(session: Session, policy: QueuePolicy, now: datetime) -> dict[datetime, SettledCounts]:
    """The settled items of the last two weeks, counted now, under the day on which their prediction came."""
    queue_id = queue_named(session, policy.name).id
    days = whole_days(policy, now)[-SETTLED_LATER:]
    return {day[0]: _settled(session, queue_id, day) for day in days}


def store_settled(session: Session, queue_id: int, later: Mapping[datetime, SettledCounts]) -> None:
    for began, counts in later.items():
        mine = (DailyReading.queue_id == queue_id, DailyReading.began_at == began)
        session.execute(update(DailyReading).where(*mine).values(vars(counts)))


def readings(session: Session, queue_id: int, policy: QueuePolicy, now: datetime) -> list[tuple[datetime, DayCounts]]:
    """The whole days that were read, up to 67, oldest first."""
    began = [day[0] for day in whole_days(policy, now)]
    mine = (DailyReading.queue_id == queue_id, DailyReading.began_at >= began[0])
    rows = {row.began_at: row for row in session.scalars(select(DailyReading).where(*mine))}
    return [(at, _counts(rows[at], policy)) for at in began if at in rows]


def _counts(row: DailyReading, policy: QueuePolicy) -> DayCounts:
    return DayCounts(
        weekday=weekday_of(row.began_at, policy),
        rows=row.rows,
        model=row.model,
        none_of_these=row.none_of_these,
        settled=row.settled,
        wrong=row.wrong,
        confidences=tuple(row.confidences.get(str(place), 0) for place in range(BINS)),
    )


def weekday_of(began: datetime, policy: QueuePolicy) -> int:
    return began.astimezone(policy.zone).weekday()


def _traffic(queue_id: int, day: tuple[datetime, datetime]) -> Sequence[ColumnElement[bool]]:
    began, ended = day
    return (
        Prediction.queue_id == queue_id, Prediction.created_at >= began, Prediction.created_at < ended,
        or_(Prediction.lot_probability > 0, Prediction.flag_probability > 0, ~_REPORTED),
    )  # fmt: skip


def _settled(session: Session, queue_id: int, day: tuple[datetime, datetime]) -> SettledCounts:
    unlabelled = Correction.label.is_(None)
    found = session.execute(
        select(Prediction.label, unlabelled, Correction.model_was_right, func.count())
        .join(ReviewItem, ReviewItem.prediction_id == Prediction.id)
        .join(Correction, Correction.item_id == ReviewItem.id)
        .where(*_traffic(queue_id, day), ABOUT_PREDICTION, Correction.is_current, Prediction.label.is_not(None))
        .where(~_OF_SLICE)
        .group_by(Prediction.label, unlabelled, Correction.model_was_right)
    )
    settled, wrong, none = Counter[str](), Counter[str](), 0
    for label, is_none, right, count in found:
        settled[str(label)] += count
        wrong[str(label)] += 0 if right else count
        none += count if is_none else 0
    return SettledCounts(none, dict(settled), dict(+wrong))
