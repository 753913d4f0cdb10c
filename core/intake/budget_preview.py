"""A preview of a budget: how many items it would have opened in the last four weeks, and how many known errors it would
have flagged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import dropwhile, pairwise
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.intake.cuts import SCORES, cut_at
from core.intake.scores import SCORE
from core.learning.lifecycle.models import live_version
from core.policy import QueuePolicy
from core.policy.flagging import Budget
from core.queues import queue_named
from core.records.predictions import Flag, Prediction
from core.records.reviews import Correction, ReviewItem
from core.review.questions import ABOUT_PREDICTION
from core.review.workload import day_began
from core.vocabulary import Reason

DAYS = 28


@dataclass(frozen=True)
class BudgetPreview:
    """The effect that a budget would have had. days: the whole days before today since the first prediction, at most
    28. predictions: their number in these days; 0 also if no scores are known. items: those that the budget would have
    opened; checks: those of them that the audit takes; opened: those that were opened. errors: wrong answers of the
    present model that the audit found in these days; flagged: those of them that the budget would have flagged."""

    days: int
    predictions: int
    items: int
    checks: int
    opened: int
    errors: int
    flagged: int


@dataclass(frozen=True)
class _Day:
    began: datetime
    weekday: int
    predictions: int


def budget_preview(session: Session, policy: QueuePolicy, budget: Budget, now: datetime) -> BudgetPreview:
    """The preview over the 28 whole days before today, in the queue's time zone, without those before the first
    prediction. A weekday's volume is the median of its four days; its cut follows from the newest 2,000 scores of the
    present model."""
    queue_id = queue_named(session, policy.name).id
    days, model = _days(session, queue_id, policy, now), _present_model(session, queue_id)
    if not days:
        return BudgetPreview(0, 0, 0, 0, 0, 0, 0)
    scores = _scores(session, queue_id, model)
    lot = policy.flagging.audit_share
    volumes = {weekday: _volume(days, weekday) for weekday in range(7)}
    shares = {weekday: budget.rule_share(volume, lot) for weekday, volume in volumes.items()}
    errors = _audited_errors(session, queue_id, model, days[0].began, policy)
    cuts = {weekday: cut_at(scores, share) for weekday, share in shares.items()}
    items = [_items(day, budget, volumes, shares, lot) for day in days]
    return BudgetPreview(
        days=len(days),
        predictions=sum(day.predictions for day in days) if scores else 0,
        items=sum(items),
        checks=sum(min(n, round(day.predictions * lot)) for n, day in zip(items, days, strict=True)),
        opened=_opened(session, queue_id, days[0].began),
        errors=len(errors),
        flagged=sum(score >= cuts[weekday] for weekday, score in errors),
    )


def _items(day: _Day, budget: Budget, volumes: Mapping[int, int], shares: Mapping[int, float], lot: float) -> int:
    wanted = day.predictions * (lot + (1 - lot) * shares[day.weekday])
    return min(budget.asked(volumes[day.weekday]), round(wanted))


def _days(session: Session, queue_id: int, policy: QueuePolicy, now: datetime) -> list[_Day]:
    """The days, oldest first, from the first one with a prediction on."""
    noon = now.astimezone(policy.zone).replace(hour=12)
    began = [day_began(noon - timedelta(days=ago), policy.zone) for ago in range(DAYS, -1, -1)]
    days = [
        _Day(one, one.astimezone(policy.zone).weekday(), _came(session, queue_id, one, ended))
        for one, ended in pairwise(began)
    ]
    return list(dropwhile(lambda day: not day.predictions, days))


def _volume(days: Sequence[_Day], weekday: int) -> int:
    """The volume of a weekday; of all days, if this weekday has not occurred yet."""
    mine = [day.predictions for day in days if day.weekday == weekday]
    return round(median(mine or [day.predictions for day in days]))


def _came(session: Session, queue_id: int, began: datetime, ended: datetime) -> int:
    mine = (Prediction.queue_id == queue_id, Prediction.created_at >= began, Prediction.created_at < ended)
    return session.scalar(select(func.count()).where(*mine)) or 0


def _present_model(session: Session, queue_id: int) -> str | None:
    """The live model, or the sender's newest version. None: there are no predictions."""
    live = live_version(session, queue_id)
    newest = select(Prediction.model_version).where(Prediction.queue_id == queue_id, Prediction.confidence.is_not(None))
    return live.name if live else session.scalar(newest.order_by(Prediction.created_at.desc()).limit(1))


def _scores(session: Session, queue_id: int, model: str | None) -> list[float]:
    newest = select(SCORE).where(
        Prediction.queue_id == queue_id, Prediction.model_version == model, Prediction.confidence.is_not(None)
    )
    return list(session.scalars(newest.order_by(Prediction.created_at.desc()).limit(SCORES)))


def _opened(session: Session, queue_id: int, since: datetime) -> int:
    mine = (ReviewItem.queue_id == queue_id, ReviewItem.opened_at >= since)
    return session.scalar(select(func.count()).select_from(ReviewItem).where(*mine)) or 0


def _audited_errors(
    session: Session, queue_id: int, model: str | None, since: datetime, policy: QueuePolicy
) -> Sequence[tuple[int, float]]:
    """The audited errors: the weekday on which each came, and its score."""
    found = (
        select(Prediction.created_at, SCORE)
        .join(ReviewItem, ReviewItem.prediction_id == Prediction.id)
        .join(Correction, Correction.item_id == ReviewItem.id)
        .join(Flag, Flag.prediction_id == Prediction.id)
        .where(Correction.queue_id == queue_id, Correction.is_current, ~Correction.model_was_right)
        .where(Correction.settled_at >= since, Prediction.created_at >= since, ABOUT_PREDICTION)
        .where(Flag.reason == Reason.AUDIT, Prediction.model_version == model, Prediction.confidence.is_not(None))
    )
    rows = session.execute(found).all()
    return [(at.astimezone(policy.zone).weekday(), score) for at, score in rows]
