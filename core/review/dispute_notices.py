"""Notices to the leads about disputes that wait. A dispute only edits the card of its item, and Slack notifies no one
of an edit."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.delivery import notices
from core.delivery.outbox import places
from core.policy import QueuePolicy
from core.queues import queue_named
from core.records.reviews import Escalation, ReviewItem
from core.vocabulary import Card, ItemState, NoticeKind

PAUSE = timedelta(hours=1)  # between two notices of a queue, so that many disputes are one message
MOST_NAMED = 8


def tell_of_disputes(session: Session, queue: QueuePolicy, now: datetime) -> None:
    """Tell the queue's leads which disputes wait, if there is a new one since the last such notice and that was sent at
    least an hour ago. Locks the new escalations. Repeating it changes nothing."""
    row = queue_named(session, queue.name)
    new = _untold(session, row.id)
    if not new or _told_since(session, row.id, now - PAUSE):
        return
    named = _named(session, row.id)
    if not named["items"]:  # each was decided since it was found
        return
    for escalation in new:
        escalation.told_at = now
    values = {"queue": queue.shown_title, **named}
    key = f"{NoticeKind.DISPUTES_WAITING}:{new[-1].id}"
    notices.notify(session, NoticeKind.DISPUTES_WAITING, key, row.leads_channel, None, values, now)


def _untold(session: Session, queue_id: int) -> Sequence[Escalation]:
    """Open disputes that the leads were not told about, oldest first."""
    return session.scalars(
        select(Escalation)
        .join(ReviewItem, ReviewItem.id == Escalation.item_id)
        .where(ReviewItem.queue_id == queue_id, ReviewItem.state == ItemState.DISPUTED, Escalation.told_at.is_(None))
        .order_by(Escalation.id)
        .with_for_update(of=Escalation)
    ).all()


def _told_since(session: Session, queue_id: int, since: datetime) -> bool:
    found = (
        select(Escalation.id)
        .join(ReviewItem, ReviewItem.id == Escalation.item_id)
        .where(ReviewItem.queue_id == queue_id, Escalation.told_at > since)
    )
    return session.scalar(found.limit(1)) is not None


def _named(session: Session, queue_id: int) -> dict[str, object]:
    """items: (id, channel and ts of its card, or None where it is not posted), oldest first; more: how many others
    wait."""
    disputed = select(ReviewItem.id).where(ReviewItem.queue_id == queue_id, ReviewItem.state == ItemState.DISPUTED)
    ids = session.scalars(disputed.order_by(ReviewItem.id)).all()
    standing = places(session, Card.REVIEW_ITEM, ids[:MOST_NAMED])
    items = [(item_id, (place.channel, place.ts) if (place := standing.get(item_id)) else None) for item_id in ids]
    return {"items": items[:MOST_NAMED], "more": len(ids) - len(items[:MOST_NAMED])}
