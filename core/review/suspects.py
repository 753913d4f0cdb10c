"""Second looks at the labels that are most probably wrong, a few a day."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import Refusal
from core.learning.lifecycle.label_suspects import suspect_list
from core.policy import QueuePolicy
from core.queues import queue_named
from core.records.learning import LabelSuspect, Live
from core.records.reviews import ReviewItem
from core.review.ask_again import ask_about_golden, ask_about_training_row
from core.review.budget_reading import budget_reading
from core.review.workload import day_began
from core.vocabulary import GOLDLOOP, QuestionAbout, Source


def ask_about_suspects(session: Session, now: datetime, policy: QueuePolicy) -> list[int]:
    """Ask the queue's reviewers about the first suspects of the list: at most `golden.second_looks` since midnight in
    the queue's time zone, and no more than the queue's budget leaves today. Returns the items' ids. A suspect that can
    no longer be asked about is removed from the list. Locks the Live row, so that two workers do not spend the budget
    twice, and the list."""
    queue = queue_named(session, policy.name)
    session.get_one(Live, queue.id, with_for_update=True)
    opened: list[int] = []
    left = policy.golden.second_looks - _asked_today(session, queue.id, now, policy)
    budget = budget_reading(session, queue.id, policy, now)
    if budget is not None and budget.asked is not None:
        left = min(left, budget.asked - budget.came)
    for suspect in suspect_list(session, queue.id, lock=True) if left > 0 else []:
        try:
            suspect.item_id = _ask(session, suspect, now, policy)
        except Refusal:
            session.delete(suspect)
        else:
            opened.append(suspect.item_id)
        if len(opened) >= left:
            break
    session.flush()
    return opened


def _asked_today(session: Session, queue_id: int, now: datetime, policy: QueuePolicy) -> int:
    since = ReviewItem.opened_at >= day_began(now, policy.zone)
    asked = select(func.count()).where(ReviewItem.queue_id == queue_id, ReviewItem.asked_by == GOLDLOOP, since)
    return session.scalar(asked) or 0


def _ask(session: Session, suspect: LabelSuspect, now: datetime, policy: QueuePolicy) -> int:
    if suspect.about is QuestionAbout.GOLDEN:
        return ask_about_golden(session, suspect.subject_id, GOLDLOOP, now, policy)
    return ask_about_training_row(session, Source(suspect.source), suspect.subject_id, GOLDLOOP, now, policy)
