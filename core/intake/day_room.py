"""The room of a queue's day under a budget: items that may still be opened for predictions on the waiting list."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.policy import QueuePolicy
from core.records.discovery import Find
from core.records.predictions import Prediction
from core.records.reviews import ReviewItem
from core.review.budget_reading import items_allowed, opened_since
from core.review.workload import day_began
from core.vocabulary import FindState, ItemState


def room_today(session: Session, queue_id: int, volume: int | None, policy: QueuePolicy, now: datetime) -> int:
    """The number of items that the day's budget still allows, without the part that is kept for finds of scans: those
    that wait, up to `discovery.open_items` at a time and to `discovery.daily_share` of the budget. Below 0: more items
    than allowed were opened, as when people report messages. volume: predictions in a day; until it is known, a share
    is one of today's."""
    today = day_began(now, policy.zone)
    if volume is None:
        came = select(func.count()).where(Prediction.queue_id == queue_id, Prediction.created_at >= today)
        volume = session.scalar(came) or 0
    allowed = items_allowed(session, queue_id, policy, volume)
    return allowed - opened_since(session, queue_id, today) - _kept_for_finds(session, queue_id, policy, allowed, today)


def _kept_for_finds(session: Session, queue_id: int, policy: QueuePolicy, allowed: int, today: datetime) -> int:
    mine = select(func.count()).select_from(Find).where(Find.queue_id == queue_id)
    waiting = session.scalar(mine.where(Find.state == FindState.WAITING)) or 0
    if not waiting:
        return 0
    items = mine.join(ReviewItem, ReviewItem.id == Find.item_id)
    is_open = session.scalar(items.where(ReviewItem.state == ItemState.OPEN)) or 0
    opened = session.scalar(items.where(ReviewItem.opened_at >= today)) or 0
    share = int(policy.discovery.daily_share * allowed)
    return max(0, min(waiting, policy.discovery.open_items - is_open, share - opened))
