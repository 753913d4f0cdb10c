"""Targets of offers: a weak slice, or an alarm of drift, for which a lead is offered help."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.delivery.card_refs import CardRef
from core.intake.drift_card import HAVE_ITEMS, alarm_meant
from core.intake.weak_slices import look_of, slice_meant
from core.policy import Policy
from core.quality.slices import Look
from core.records.drift import DriftAlarm
from core.records.queues import Queue
from core.vocabulary import DriftSign, OfferAbout, SliceKind


@dataclass(frozen=True)
class Target:
    """label: texts about it are looked for; foreign: texts of another kind than the queue's. look: the slice that
    people can be asked about; None: it is not about one."""

    about: OfferAbout
    subject: CardRef
    queue_id: int
    queue: str
    label: str | None = None
    foreign: bool = False
    look: Look | None = None


def target_meant(session: Session, about: OfferAbout, subject: CardRef, policy: Policy) -> Target:
    """The target of a button. Raises NotFound."""
    if about is OfferAbout.ALARM:
        return target_of_alarm(session, alarm_meant(session, subject))
    found = slice_meant(session, subject)
    return target_of_slice(subject, found.queue_id, found.queue.name, look_of(found), found.missed)


def target_of_slice(subject: CardRef, queue_id: int, queue: str, look: Look, missed: str | None) -> Target:
    """missed: the label that people settle most often in it. A scan can look for texts about a label: the slice's own,
    or else that one."""
    is_of_label = look.kind in (SliceKind.LABEL, SliceKind.PAIR)
    label = look.value if is_of_label else missed
    return Target(OfferAbout.SLICE, subject, queue_id, queue, label=label, look=look)


def target_of_alarm(session: Session, alarm: DriftAlarm) -> Target:
    """The target of the most certain sign that says what to look for, if there is one."""
    chosen = next((sign for sign in alarm.signs if sign["sign"] in HAVE_ITEMS), alarm.signs[0])
    sign, label = DriftSign(chosen["sign"]), chosen["label"]
    is_of_label = sign is DriftSign.CORRECTIONS
    return Target(
        about=OfferAbout.ALARM,
        subject=CardRef.of(alarm.id, alarm.created_at),
        queue_id=alarm.queue_id,
        queue=session.get_one(Queue, alarm.queue_id).name,
        label=label if is_of_label else None,
        foreign=sign is DriftSign.NONE_OF_THESE,
        look=Look(SliceKind.LABEL, label) if is_of_label else None,
    )
