"""Statistics of a queue, for its leads."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.learning.lifecycle.models import live_version
from core.learning.lifecycle.production import ProductionEstimate, production_estimate
from core.policy import QueuePolicy
from core.quality.agreement import krippendorff_alpha
from core.queues import queue_named
from core.records.predictions import Prediction
from core.records.reviews import Answer, Correction, ReviewItem
from core.review.budget_reading import BudgetReading, budget_reading
from core.review.promise_reading import PromiseReading, promise_reading
from core.review.workload import day_began
from core.vocabulary import NONE_OF_THESE, AnswerKind, ItemState

RECENT = 500  # settled items that agreement and votes per item look back over


@dataclass(frozen=True)
class StatsCard:
    """agreement: Krippendorff's alpha over the newest settled items, None with too few votes. production: how often the
    live model is right. budget, promise: None where the queue has none."""

    queue_title: str
    open: int
    disputed: int
    settled_today: int
    settled: int
    agreement: float | None
    votes_per_item: float | None
    errors_by_label: tuple[tuple[str, int], ...]
    production: ProductionEstimate
    budget: BudgetReading | None
    promise: PromiseReading | None
    live: str | None


def stats_card(session: Session, queue: QueuePolicy, now: datetime) -> StatsCard:
    row = queue_named(session, queue.name)
    open_now, disputed, settled = (
        _in_state(session, row.id, state) for state in (ItemState.OPEN, ItemState.DISPUTED, ItemState.SETTLED)
    )
    votes = _recent_votes(session, row.id)
    items = {item_id for item_id, _person, _label in votes}
    model = live_version(session, row.id)
    return StatsCard(
        queue_title=queue.shown_title,
        open=open_now,
        disputed=disputed,
        settled_today=_settled_since(session, row.id, day_began(now, queue.zone)),
        settled=settled,
        agreement=krippendorff_alpha(votes),
        votes_per_item=len(votes) / len(items) if items else None,
        errors_by_label=_errors_by_label(session, row.id),
        production=production_estimate(session, row.id),
        budget=budget_reading(session, row.id, queue, now),
        promise=promise_reading(session, row.id, queue, now),
        live=model.name if model else None,
    )


def _in_state(session: Session, queue_id: int, state: ItemState) -> int:
    """An index has each state's items. Grouped by state, PostgreSQL would read the table."""
    of_state = select(func.count()).where(ReviewItem.queue_id == queue_id, ReviewItem.state == state)
    return session.scalar(of_state) or 0


def _settled_since(session: Session, queue_id: int, since: datetime) -> int:
    return session.scalar(
        select(func.count()).where(
            Correction.queue_id == queue_id, Correction.is_current, Correction.settled_at >= since
        )
    ) or 0  # fmt: skip


def _recent_votes(session: Session, queue_id: int) -> Sequence[tuple[int, str, str | None]]:
    newest = (
        select(Correction.item_id)
        .where(Correction.queue_id == queue_id, Correction.is_current)
        .order_by(Correction.settled_at.desc())
        .limit(RECENT)
    )
    return session.execute(
        select(Answer.item_id, Answer.person, Answer.label).where(
            Answer.item_id.in_(newest),
            Answer.is_current,
            Answer.kind.in_([AnswerKind.LABEL, AnswerKind.NONE_OF_THESE]),
        )
    ).all()


def _errors_by_label(session: Session, queue_id: int) -> tuple[tuple[str, int], ...]:
    """Errors of the model that reviewers caught, by the label that was right; most first.

    Where no model was live, none was wrong: those are taken off again. They are few, so that the many need no look at
    their predictions."""
    label = func.coalesce(Correction.label, NONE_OF_THESE)
    wrong = (Correction.queue_id == queue_id, Correction.is_current, ~Correction.model_was_right)
    counted = Counter(dict(session.execute(select(label, func.count()).where(*wrong).group_by(Correction.label)).all()))
    unguessed = (
        select(label, func.count())
        .select_from(Prediction)
        .join(ReviewItem, ReviewItem.prediction_id == Prediction.id)
        .join(Correction, Correction.item_id == ReviewItem.id)
        .where(Prediction.queue_id == queue_id, Prediction.label.is_(None), *wrong)
        .group_by(Correction.label)
    )
    counted -= Counter(dict(session.execute(unguessed).all()))
    return tuple(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))
