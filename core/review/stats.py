"""Statistics of a queue, for its leads."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session

from core.learning.lifecycle.models import live_model
from core.learning.lifecycle.production import ProductionEstimate, production_estimate
from core.policy import QueuePolicy
from core.quality.agreement import krippendorff_alpha
from core.queues import queue_ids
from core.records.predictions import Prediction
from core.records.reviews import Answer, Correction, ReviewItem
from core.review.budget_reading import BudgetReading, budget_reading
from core.review.promise_reading import PromiseReading, promise_reading
from core.review.workload import day_began
from core.storage.ready import Found, Question, ask_all
from core.vocabulary import NONE_OF_THESE, AnswerKind, ItemState

RECENT = 500  # settled items that agreement and votes per item look back over

_MINE = (Correction.queue_id == bindparam("queue_id"), Correction.is_current)
# An index has each state's items. Grouped by state, or of a state that it knows to be that of most items, PostgreSQL
# would read the table, which takes twice as long.
_STATE = select(bindparam("state", type_=ReviewItem.state.type)).scalar_subquery()
_IN_STATE = select(func.count()).where(ReviewItem.queue_id == bindparam("queue_id"), ReviewItem.state == _STATE)
_SETTLED_SINCE = select(func.count()).where(*_MINE, Correction.settled_at >= bindparam("since"))
_RECENT_VOTES = select(Answer.item_id, Answer.person, Answer.label).where(
    Answer.item_id.in_(select(Correction.item_id).where(*_MINE).order_by(Correction.settled_at.desc()).limit(RECENT)),
    Answer.is_current,
    or_(Answer.kind == AnswerKind.LABEL, Answer.kind == AnswerKind.NONE_OF_THESE),
)

# Errors of the model that reviewers caught, by the label that was right. Where no model was live, none was wrong: those
# are taken off again. They are few, so that the many need no look at their predictions.
_LABEL = func.coalesce(Correction.label, NONE_OF_THESE)
_WRONG = select(_LABEL, func.count()).where(*_MINE, ~Correction.model_was_right).group_by(Correction.label)
_WITHOUT_MODEL = (
    select(_LABEL, func.count())
    .select_from(Prediction)
    .join(ReviewItem, ReviewItem.prediction_id == Prediction.id)
    .join(Correction, Correction.item_id == ReviewItem.id)
    .where(Prediction.queue_id == bindparam("queue_id"), Prediction.label.is_(None))
    .where(*_MINE, ~Correction.model_was_right)
    .group_by(Correction.label)
)


@dataclass(frozen=True)
class QueueLine:
    """A queue in one line, as on the Home tab."""

    queue_title: str
    open: int
    disputed: int
    settled_today: int
    production: ProductionEstimate
    live: str | None


@dataclass(frozen=True)
class StatsCard:
    """The statistics. agreement: Krippendorff's alpha over the newest settled items; None with too few votes.
    production: how often the live model is right. budget, promise: None where the queue has none."""

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


def queue_line(session: Session, queue: QueuePolicy, now: datetime) -> QueueLine:
    [queue_id] = queue_ids(session, [queue.name])
    open_now, disputed, settled_today, live = ask_all(session, _standing(queue_id, queue, now))
    return QueueLine(
        queue_title=queue.shown_title,
        open=open_now,
        disputed=disputed,
        settled_today=settled_today,
        production=production_estimate(session, queue_id),
        live=live.name if live else None,
    )


def stats_card(session: Session, queue: QueuePolicy, now: datetime) -> StatsCard:
    [queue_id] = queue_ids(session, [queue.name])
    mine = {"queue_id": queue_id}
    more: list[Question[Any]] = [
        _in_state(queue_id, ItemState.SETTLED),
        Question(_RECENT_VOTES, mine, list),
        Question(_WRONG, mine, _counter),
        Question(_WITHOUT_MODEL, mine, _counter),
    ]
    found = ask_all(session, [*_standing(queue_id, queue, now), *more])
    open_now, disputed, settled_today, live, settled, votes, wrong, without_model = found
    items = {item_id for item_id, _person, _label in votes}
    return StatsCard(
        queue_title=queue.shown_title,
        open=open_now,
        disputed=disputed,
        settled_today=settled_today,
        settled=settled,
        agreement=krippendorff_alpha(votes),
        votes_per_item=len(votes) / len(items) if items else None,
        errors_by_label=tuple(sorted((wrong - without_model).items(), key=lambda pair: (-pair[1], pair[0]))),
        production=production_estimate(session, queue_id),
        budget=budget_reading(session, queue_id, queue, now),
        promise=promise_reading(session, queue_id, queue, now),
        live=live.name if live else None,
    )


def _standing(queue_id: int, queue: QueuePolicy, now: datetime) -> list[Question[Any]]:
    """Open and disputed items, those settled today, and the live model."""
    today = {"queue_id": queue_id, "since": day_began(now, queue.zone)}
    return [
        _in_state(queue_id, ItemState.OPEN),
        _in_state(queue_id, ItemState.DISPUTED),
        Question(_SETTLED_SINCE, today, _number),
        live_model(queue_id),
    ]


def _in_state(queue_id: int, state: ItemState) -> Question[int]:
    return Question(_IN_STATE, {"queue_id": queue_id, "state": state}, _number)


def _number(rows: Found) -> int:
    number: int = rows[0][0]
    return number


def _counter(rows: Found) -> Counter[str]:
    return Counter(dict(rows))
