"""Clock skew: repairs due times of messages that were written while the clock was ahead.

Otherwise, a message due at 15:50 would wait for an hour after the clock was corrected to 14:50.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, and_, case, select
from sqlalchemy.orm import Session

from core.delivery.webhooks import SILENCE
from core.records.delivery import Notice, Posting
from core.records.webhooks import DeliveryAttempt, EventDelivery
from core.storage import leases
from core.storage.leases import CLOCKS_APART, LEASE, LONGEST_PAUSE
from core.vocabulary import DeliveryState


def repair_times(session: Session, now: datetime) -> None:
    """Shorten every lease and pause that ends later than one taken now could end. A refused webhook may have to wait
    for as long as its endpoint asked; it is made due now only if the refusal is dated in the future. Safe to repeat."""
    for record, waits in (
        (Posting, and_(Posting.requested_version > Posting.delivered_version, Posting.failure_reason == "")),
        (Notice, and_(Notice.delivered_at.is_(None), Notice.failure_reason == "")),
    ):
        late = record.next_attempt_at > now + LONGEST_PAUSE + CLOCKS_APART
        leases.repair_times(session, record, waits, now, LEASE, late)
    pending = EventDelivery.state == DeliveryState.PENDING
    leases.repair_times(session, EventDelivery, pending, now, LEASE, _is_late(now))


def _is_late(now: datetime) -> ColumnElement[bool]:
    never_tried = EventDelivery.next_attempt_at > now + SILENCE + CLOCKS_APART
    return case((EventDelivery.attempts == 0, never_tried), else_=_last_refused_at() > now + CLOCKS_APART)


def _last_refused_at() -> ScalarSelect[datetime]:
    of_it = DeliveryAttempt.delivery_id == EventDelivery.id
    return select(DeliveryAttempt.at).where(of_it).order_by(DeliveryAttempt.id.desc()).limit(1).scalar_subquery()
