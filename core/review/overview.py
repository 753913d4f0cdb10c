"""The overview of a queue for operators: what waits for reviewers, leads and workers. No decision depends on it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.learning.lifecycle.models import live_version
from core.policy import QueuePolicy
from core.queues import queue_named
from core.records.learning import ModelVersion, TrainingRun
from core.records.reviews import Correction, ReviewItem
from core.review.workload import day_began
from core.vocabulary import ItemState, ModelState, RunState


@dataclass(frozen=True)
class QueueOverview:
    """paused: no new cards are posted; open: items that wait for votes, since when the oldest does; disputed: items
    that wait for a lead; candidates: models that wait for a lead's decision, oldest first; run: the state of a training
    run that is not over."""

    name: str
    paused: bool
    open: int
    oldest_opened_at: datetime | None
    disputed: int
    settled_today: int
    candidates: tuple[str, ...]
    run: RunState | None
    live: str | None


def queue_overview(session: Session, queue: QueuePolicy, now: datetime) -> QueueOverview:
    row = queue_named(session, queue.name)
    queue_id = row.id
    waiting = select(ReviewItem.state, func.count(), func.min(ReviewItem.opened_at)).group_by(ReviewItem.state)
    unsettled = ReviewItem.state.in_((ItemState.OPEN, ItemState.DISPUTED))
    rows = session.execute(waiting.where(ReviewItem.queue_id == queue_id, unsettled)).all()
    counts, oldest = {one[0]: one[1] for one in rows}, {one[0]: one[2] for one in rows}
    today = day_began(now, queue.zone)
    settled = select(func.count()).where(
        Correction.queue_id == queue_id, Correction.is_current, Correction.settled_at >= today
    )
    candidates = select(ModelVersion).where(
        ModelVersion.queue_id == queue_id, ModelVersion.state == ModelState.CANDIDATE
    )
    live = live_version(session, queue_id)
    return QueueOverview(
        name=queue.name,
        paused=row.paused_at is not None,
        open=counts.get(ItemState.OPEN, 0),
        oldest_opened_at=oldest.get(ItemState.OPEN),
        disputed=counts.get(ItemState.DISPUTED, 0),
        settled_today=session.scalar(settled) or 0,
        candidates=tuple(model.name for model in session.scalars(candidates.order_by(ModelVersion.id))),
        run=_run_at_work(session, queue_id),
        live=live.name if live else None,
    )


def _run_at_work(session: Session, queue_id: int) -> RunState | None:
    over = (RunState.DONE, RunState.FAILED)
    newest = select(TrainingRun.state).where(TrainingRun.queue_id == queue_id, TrainingRun.state.not_in(over))
    return session.scalar(newest.order_by(TrainingRun.id.desc()).limit(1))
