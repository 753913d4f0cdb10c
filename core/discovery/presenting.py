"""The message that shows a scan: its card, in the channel of the queue's leads."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.delivery import outbox
from core.delivery.recipients import leads_of
from core.records.queues import QueueRow
from core.vocabulary import Card


def scan_requested(session: Session, scan_id: int, queue: QueueRow, now: datetime) -> None:
    outbox.show(session, Card.SCAN, scan_id, leads_of(queue), queue, now)


def scan_changed(session: Session, scan_id: int, now: datetime, urgent: bool = False) -> None:
    """Redraw the card of a scan. urgent: the scan is over."""
    outbox.redraw(session, Card.SCAN, scan_id, now, urgent)
