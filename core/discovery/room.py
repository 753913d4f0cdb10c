"""The number of finds that may still be opened today, so that scans never take more than a share of people's time."""

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
    """Finds that may be opened now: at most `open_items` are open at a time, and at most a share of the day's items are
    finds. The share is of the items that the active reviewers can still answer today, or of the budget if that is
    smaller."""
    if queue.paused_at is not None:
        return 0
    mine = select(func.count()).select_from(Find).join(ReviewItem, ReviewItem.id == Find.item_id)
    mine = mine.where(Find.queue_id == queue.id)
    is_open = session.scalar(mine.where(ReviewItem.state == ItemState.OPEN)) or 0
    today = session.scalar(mine.where(ReviewItem.opened_at >= day_began(now, policy.zone))) or 0
    share = int(policy.discovery.daily_share * _answerable(session, queue, policy, now))
    return max(0, min(policy.discovery.open_items - is_open, share - today))


def _answerable(session: Session, queue: Queue, policy: QueuePolicy, now: datetime) -> float:
    """Items that the active reviewers can still settle today, if each item takes as many votes as the policy allows; at
    most today's budget."""
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
