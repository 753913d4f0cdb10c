"""What was put off, or claimed, for longer than anything ever is: the clock was ahead then and has been put back.

Left alone, a message that was due at ten to four would wait at ten to three for an hour.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, and_, case, select, update
from sqlalchemy.orm import Session

from core.delivery import claims, webhooks
from core.records.delivery import Notice, Posting
from core.records.webhooks import DeliveryAttempt, EventDelivery
from core.vocabulary import DeliveryState

Waits = type[Posting] | type[Notice] | type[EventDelivery]

WAITING: dict[Waits, ColumnElement[bool]] = {
    Posting: and_(Posting.wanted > Posting.shown, Posting.broken == ""),
    Notice: and_(Notice.delivered_at.is_(None), Notice.broken == ""),
    EventDelivery: EventDelivery.state == DeliveryState.PENDING,
}
LONGEST: dict[Waits, timedelta] = {
    Posting: claims.LONGEST_PAUSE,
    Notice: claims.LONGEST_PAUSE,
    EventDelivery: webhooks.SILENCE,
}
CLAIM = max(claims.CLAIM, webhooks.CLAIM)
APART = timedelta(minutes=1)  # clocks of two machines


def mend_times(session: Session, now: datetime) -> None:
    """What waits too long is due now; a claim ends when it would have, had it been made now: whoever made it may be at
    it. An event that was refused before may wait long indeed, as its endpoint asked: that is due if it was refused at a
    time which is yet to come. Safe to repeat."""
    _end_claims(session, now)
    for record, pause in LONGEST.items():
        late = record.next_try_at > now + pause + APART
        if record is EventDelivery:
            late = case((EventDelivery.attempts == 0, late), else_=_last_refused_at() > now + APART)
        session.execute(update(record).where(WAITING[record], late).values(next_try_at=now))


def _last_refused_at() -> ScalarSelect[datetime]:
    of_it = DeliveryAttempt.delivery_id == EventDelivery.id
    return select(DeliveryAttempt.at).where(of_it).order_by(DeliveryAttempt.id.desc()).limit(1).scalar_subquery()


def _end_claims(session: Session, now: datetime) -> None:
    for record, waits in WAITING.items():
        ahead = and_(waits, record.claimed_until > now + CLAIM + APART)
        session.execute(update(record).where(ahead).values(claimed_until=now + CLAIM))
