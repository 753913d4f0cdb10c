"""The card of a drift alarm, as plain data."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.delivery.card_refs import CardRef
from core.errors import NotFound
from core.intake.daily_readings import readings
from core.intake.slice_cards import Example, examples_of
from core.people.permissions import require
from core.policy import Policy
from core.quality.drift import DayCounts, Drift, low_bins
from core.quality.slices import KnownRow
from core.records.drift import DriftAlarm
from core.records.predictions import Prediction
from core.records.queues import Queue
from core.records.reviews import Correction, ReviewItem
from core.review.questions import ABOUT_PREDICTION
from core.vocabulary import DriftSign, Role

SHOWN_ITEMS = 20
SHOWN_DAYS = 42
HAVE_ITEMS = (DriftSign.NONE_OF_THESE, DriftSign.CORRECTIONS)  # the others are of predictions, settled or not


@dataclass(frozen=True)
class DriftCard:
    """A drift alarm as people see it. signs: the most certain first. items: settled items that show the sign `shown`,
    the newest first. days: the values of the first sign, each with the beginning of its day in the queue's time zone: a
    share in [0, 1], or a count for volume; None: no value on that day. run_id: the training run that the alarm
    requested. day: the last day of the windows that were compared."""

    subject: CardRef
    queue: str
    queue_title: str
    signs: tuple[Drift, ...]
    items: tuple[int, ...]
    days: tuple[tuple[datetime, float | None], ...]
    run_id: int | None
    day: date

    @property
    def shown(self) -> Drift | None:
        """The most certain of the signs that items can show."""
        return next((sign for sign in self.signs if sign.sign in HAVE_ITEMS), None)


def drift_card(session: Session, alarm_id: int, policy: Policy) -> DriftCard:
    alarm = session.get_one(DriftAlarm, alarm_id)
    queue = policy.queue(session.get_one(Queue, alarm.queue_id).name)
    signs = tuple(Drift(**{**sign, "sign": DriftSign(sign["sign"])}) for sign in alarm.signs)
    read = readings(session, alarm.queue_id, queue, alarm.created_at)[-SHOWN_DAYS:]
    days = [(began.astimezone(queue.zone), counts) for began, counts in read]
    card = DriftCard(
        subject=CardRef.of(alarm.id, alarm.created_at),
        queue=queue.name,
        queue_title=queue.shown_title,
        signs=signs,
        items=(),
        days=_series(days, signs[0]),
        run_id=alarm.run_id,
        day=alarm.began_at.astimezone(queue.zone).date(),
    )
    return replace(card, items=_items(session, alarm, card.shown)) if card.shown is not None else card


def alarm_meant(session: Session, subject: CardRef) -> DriftAlarm:
    """The alarm of a control. Raises NotFound."""
    alarm = session.get(DriftAlarm, subject.id)
    if alarm is None:
        raise NotFound("This alarm does not exist any more.")
    subject.require(alarm.created_at)
    return alarm


def led_alarm(session: Session, subject: CardRef, person: str, what: str, policy: Policy) -> DriftAlarm:
    """The same as `alarm_meant`, for a lead of its queue. what: completes "Only leads can ___". Raises NotAllowed."""
    alarm = alarm_meant(session, subject)
    queue = session.get_one(Queue, alarm.queue_id)
    require(session, queue, Role.LEAD, person, what, policy.queue(queue.name))
    return alarm


def alarm_examples(
    session: Session, subject: CardRef, person: str, policy: Policy
) -> tuple[DriftCard, list[Example]]:  # fmt: skip
    """The items that show an alarm, for a lead, the newest first, without erased ones."""
    alarm = led_alarm(session, subject, person, "see what an alarm is about", policy)
    card = drift_card(session, alarm.id, policy)
    found = (
        select(ReviewItem.id, Prediction, Correction.label, Correction.reason)
        .join(Prediction, Prediction.id == ReviewItem.prediction_id)
        .join(Correction, Correction.item_id == ReviewItem.id)
        .where(ReviewItem.id.in_(card.items), Correction.is_current, Prediction.erased_at.is_(None))
        .order_by(ReviewItem.id.desc())
    )
    rows = [
        KnownRow(item_id, row.text, {}, row.label or "", None, wrong=True, reviewed=True, why=why, settled=label)
        for item_id, row, label, why in session.execute(found)
    ]
    return card, examples_of(session, rows, policy.queue(card.queue))


def _series(days: Sequence[tuple[datetime, DayCounts]], drift: Drift) -> tuple[tuple[datetime, float | None], ...]:
    lowest = low_bins([counts for _began, counts in days[: -drift.days]])
    return tuple((began, _value(counts, drift, lowest)) for began, counts in days)


def _value(day: DayCounts, drift: Drift, lowest: int) -> float | None:
    settled = (day.settled or {}).get(drift.label or "", 0)
    match drift.sign:
        case DriftSign.NONE_OF_THESE:
            return day.none_of_these / day.rows if day.rows else None
        case DriftSign.CORRECTIONS:
            return (day.wrong or {}).get(drift.label or "", 0) / settled if settled else None
        case DriftSign.CONFIDENCE:
            return sum(day.confidences[:lowest]) / day.rows if day.rows else None
        case DriftSign.VOLUME:
            return float(day.rows)


def _items(session: Session, alarm: DriftAlarm, drift: Drift) -> tuple[int, ...]:
    is_meant = Correction.label.is_(None) if drift.sign is DriftSign.NONE_OF_THESE else Prediction.label == drift.label
    since = alarm.began_at - timedelta(days=drift.days - 1)
    found = (
        select(ReviewItem.id)
        .join(Prediction, Prediction.id == ReviewItem.prediction_id)
        .join(Correction, Correction.item_id == ReviewItem.id)
        .where(Prediction.queue_id == alarm.queue_id, Prediction.created_at >= since, ABOUT_PREDICTION, is_meant)
        .where(Correction.is_current, ~Correction.model_was_right, Correction.settled_at <= alarm.created_at)
        .order_by(ReviewItem.id.desc())
        .limit(SHOWN_ITEMS)
    )
    return tuple(session.scalars(found))
