"""The messages that show a review item: its card, in the channel of its queue's reviewers.

Every change of an item ends here, so that a further message about items is added in one place."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from core.delivery import outbox
from core.delivery.recipients import reviewers_of
from core.records.queues import QueueRow
from core.vocabulary import Card


def items_opened(session: Session, item_ids: Sequence[int], queue: QueueRow, now: datetime) -> None:
    """Show these new items to the queue's reviewers."""
    outbox.show_all(session, Card.REVIEW_ITEM, item_ids, reviewers_of(queue), queue, now)


def item_changed(session: Session, item_id: int, now: datetime, urgent: bool = False) -> None:
    """Bring every message about the item up to date. urgent: before those of items that are still open."""
    outbox.redraw(session, Card.REVIEW_ITEM, item_id, now, urgent)


def items_changed(session: Session, changes: Sequence[outbox.Redraw]) -> None:
    """The same as `item_changed`, for many changes, in this order."""
    outbox.redraw_all(session, Card.REVIEW_ITEM, changes)
