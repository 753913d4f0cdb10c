"""A queue's budget in numbers: items allowed and opened today, predictions waiting and dropped."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.policy import QueuePolicy
from core.records.predictions import FlagCut, WaitingPrediction
from core.records.reviews import ReviewItem
from core.review.promise_reading import agreed_state
from core.review.workload import day_began
from core.vocabulary import WaitState

LOOKED_BACK = timedelta(days=7)


@dataclass(frozen=True)
class BudgetReading:
    """A budget in numbers. asked: items that may be opened today, the budget's or those that a lead allowed a promise;
    None: the volume of a day is not known yet. came: items opened today; waiting: predictions on the waiting list;
    lapsed: those that left it without an item in the last seven days."""

    budget: str
    asked: int | None
    came: int
    waiting: int
    lapsed: int


def budget_reading(session: Session, queue_id: int, policy: QueuePolicy, now: datetime) -> BudgetReading | None:
    """The reading; None: the queue has no budget."""
    limit = policy.flagging.limit
    if limit is None:
        return None
    cut = session.get(FlagCut, queue_id)
    volume = cut.volume if cut else None
    is_known = volume is not None or limit.items is not None
    waiting, mine = WaitingPrediction.prediction_id, WaitingPrediction.queue_id == queue_id
    in_line = select(func.count(waiting.distinct())).where(mine, WaitingPrediction.ended_at.is_(None))
    lapsed = select(func.count()).where(
        mine, WaitingPrediction.state == WaitState.LAPSED, WaitingPrediction.ended_at >= now - LOOKED_BACK
    )
    return BudgetReading(
        budget=policy.flagging.budget,
        asked=items_allowed(session, queue_id, policy, volume or 0) if is_known else None,
        came=opened_since(session, queue_id, day_began(now, policy.zone)),
        waiting=session.scalar(in_line) or 0,
        lapsed=session.scalar(lapsed) or 0,
    )


def items_allowed(session: Session, queue_id: int, policy: QueuePolicy, volume: int) -> int:
    """Items that the policy's budget allows in a day with this many predictions; more, if a lead has allowed them to
    the queue's promise. Raises AssertionError for a queue without a budget."""
    assert policy.flagging.limit is not None, "the caller's queue has a budget"
    agreed = agreed_state(session, queue_id, policy)
    return max(policy.flagging.limit.asked(volume), (agreed.agreed_items or 0) if agreed else 0)


def opened_since(session: Session, queue_id: int, since: datetime) -> int:
    """Items of any kind that were opened in a queue."""
    mine = (ReviewItem.queue_id == queue_id, ReviewItem.opened_at >= since)
    return session.scalar(select(func.count()).select_from(ReviewItem).where(*mine)) or 0
