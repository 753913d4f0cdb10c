"""How many finds the day still has room for: they come out of people's time, and are never a flood."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.policy import QueuePolicy
from core.records.discovery import Find
from core.records.queues import Member, Queue
from core.records.reviews import Reviewer, ReviewItem
from core.review.budget_reading import budget_reading
from core.review.workload import day_began, done_today
from core.vocabulary import ItemState, Role


def room_for_finds(session: Session, queue: Queue, policy: QueuePolicy, now: datetime) -> int:
    """Items that may be opened now: as many as are missing from `open_items`, and as the day's share allows. The share
    is of the items that the active reviewers can still answer today, and of the budget where the queue has one."""
    if queue.paused_at is not None:
        return 0
    mine = select(func.count()).select_from(Find).join(ReviewItem, ReviewItem.id == Find.item_id)
    mine = mine.where(Find.queue_id == queue.id)
    is_open = session.scalar(mine.where(ReviewItem.state == ItemState.OPEN)) or 0
    today = session.scalar(mine.where(ReviewItem.opened_at >= day_began(now, policy.zone))) or 0
    share = int(policy.discovery.daily_share * _answerable(session, queue, policy, now))
    return max(0, min(policy.discovery.open_items - is_open, share - today))


def _answerable(session: Session, queue: Queue, policy: QueuePolicy, now: datetime) -> float:
    """Items for which there are votes today, if each takes as many as the policy allows."""
    cap = policy.workload.daily_cap
    left = [max(0, cap - done_today(session, one, queue, policy.zone, now)) for one in _active(session, queue.id)]
    answerable = sum(left) / policy.consensus.votes
    budget = budget_reading(session, queue.id, policy, now)
    return answerable if budget is None or budget.asked is None else min(answerable, budget.asked)


def _active(session: Session, queue_id: int) -> list[str]:
    found = (
        select(Member.person)
        .outerjoin(Reviewer, Reviewer.person == Member.person)
        .where(
            Member.queue_id == queue_id, Member.role == Role.REVIEWER, Member.active, Reviewer.paused_at.is_(None)
        )
    )  # fmt: skip
    return list(session.scalars(found))
