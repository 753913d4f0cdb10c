"""Retention of delivered notices, events and their logs, and of counts of labels that are no longer sent. They are kept
for a while for inspection and deduplication, then deleted. What was given up stays until an operator deals with it."""

from datetime import datetime

from sqlalchemy import Select, and_, delete, exists, select
from sqlalchemy.orm import Session

from core.records.base import Base
from core.records.delivery import Incident, Notice
from core.records.discovery import Scan, ScanShard
from core.records.predictions import UnknownLabel, WaitingPrediction
from core.records.webhooks import DeliveryAttempt, Event, EventDelivery
from core.vocabulary import DeliveryState

PIECE = 1000  # rows of a kind in one transaction


def forget_before(session: Session, before: datetime) -> int:
    """Delete a piece of the rows that were finished before then. Returns how many; 0 means that there are no more.
    Locks no rows that are still written; repeating it is safe."""
    return sum(
        _delete(session, record, found.limit(PIECE))
        for record, found in (
            (Notice, select(Notice.id).where(Notice.delivered_at < before)),
            (Incident, select(Incident.id).where(Incident.resolved_at < before)),
            (WaitingPrediction, select(WaitingPrediction.id).where(WaitingPrediction.ended_at < before)),
            (ScanShard, _shards(before)),
            (UnknownLabel, select(UnknownLabel.id).where(UnknownLabel.last_at < before)),
            (DeliveryAttempt, _attempts(before)),
            (EventDelivery, _deliveries(before)),
            (Event, _events(before)),
        )
    )


def _shards(before: datetime) -> Select[int]:
    """Parts of a source that a scan could not read."""
    return select(ScanShard.id).join(Scan, Scan.id == ScanShard.scan_id).where(Scan.finished_at < before)


def _heard(before: datetime) -> Select[int]:
    delivered = EventDelivery.state == DeliveryState.DELIVERED
    return select(EventDelivery.id).where(delivered, EventDelivery.finished_at < before)


def _attempts(before: datetime) -> Select[int]:
    return select(DeliveryAttempt.id).where(DeliveryAttempt.delivery_id.in_(_heard(before)))


def _deliveries(before: datetime) -> Select[int]:
    logged = exists().where(DeliveryAttempt.delivery_id == EventDelivery.id)
    return _heard(before).where(~logged)


def _events(before: datetime) -> Select[int]:
    """An event is finished when it was addressed and has no pending delivery."""
    waits = exists().where(EventDelivery.event_id == Event.id)
    return select(Event.id).where(and_(Event.addressed_at < before, ~waits))


def _delete(session: Session, record: type[Base], found: Select[int]) -> int:
    key = record.__table__.c.id
    ids = session.scalars(found).all()
    return len(session.execute(delete(record).where(key.in_(ids)).returning(key)).all()) if ids else 0
