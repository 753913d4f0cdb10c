"""The messages that show a drift alarm, in the channel of the queue's leads."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.delivery import outbox
from core.delivery.recipients import leads_of
from core.records.queues import Queue
from core.vocabulary import Card


def alarm_raised(session: Session, alarm_id: int, queue: Queue, now: datetime) -> None:
    """Show a new alarm to the queue's leads, with its chart."""
    outbox.show(session, Card.DRIFT, alarm_id, leads_of(queue), queue, now, urgent=True)
    outbox.show(session, Card.DRIFT_CHART, alarm_id, leads_of(queue), queue, now)
