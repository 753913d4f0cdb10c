"""Ask people: the slice becomes a reason to flag."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from core.delivery.card_refs import CardRef
from core.errors import Refusal
from core.intake.weak_slices import ASKS, ask_about, asked_slices, slice_of_label
from core.offers.base import Entry
from core.offers.cost import Gain, gain
from core.offers.targets import Target
from core.people.permissions import require
from core.policy import Policy, QueuePolicy
from core.records.queues import Queue
from core.records.slices import FoundSlice
from core.review.known_rows import present_version
from core.vocabulary import OfferAbout, Reason, Role


def _choices(session: Session, target: Target, policy: QueuePolicy, now: datetime) -> Sequence[str]:
    if target.look is None or not policy.slices.asked:
        return []
    asked = asked_slices(session, target.queue_id, policy, now)
    return [] if any(one.look == target.look for one in asked) else [""]


def _take(session: Session, target: Target, _choice: str, person: str, now: datetime, policy: Policy) -> int:
    queue = session.get_one(Queue, target.queue_id)
    require(session, queue, Role.LEAD, person, ASKS, policy.queue(target.queue))
    subject = target.subject if target.about is OfferAbout.SLICE else _of_label(session, target, now)
    return ask_about(session, subject, person, now, policy)


def _of_label(session: Session, target: Target, now: datetime) -> CardRef:
    model = present_version(session, target.queue_id)
    if target.look is None or model is None:
        raise Refusal("This alarm is about no label that people could be asked about.")
    found = session.get_one(FoundSlice, slice_of_label(session, target.queue_id, model, target.look.value, now))
    return CardRef.of(found.id, found.found_at)


def _gain(session: Session, queue_id: int) -> Gain:
    return gain(session, queue_id, Reason.WEAK_SLICE)


ASK_PEOPLE = Entry(_choices, lambda policy: policy.slices.items, _gain, _take, by_label=False)
