"""The live model's answers in the demo: Goldloop's estimates beside the truth, which only the demo knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.demo.data import Ticket
from bot.wording.budget import budget_line
from bot.wording.numbers import percent
from bot.wording.production import agreement
from core.learning.lifecycle.production import ProductionEstimate, production_estimate
from core.policy import QueuePolicy
from core.queues import queue_named
from core.records.predictions import Prediction
from core.records.reviews import ReviewItem
from core.review.budget_reading import BudgetReading, budget_reading

NO_BUDGET = "none: the policy's thresholds decide what people look at"


@dataclass(frozen=True)
class LiveAnswers:
    """The estimates and the truth. estimate, budget: as leads see them. rows: the model's answers; right: how many of
    them are truly right. seen: how many people looked at; missed: how many are truly wrong and were seen by nobody."""

    estimate: ProductionEstimate
    budget: BudgetReading | None
    rows: int
    right: int
    seen: int
    missed: int


def live_answers(
    session: Session, truth: Mapping[str, Ticket], queue: QueuePolicy, now: datetime
) -> LiveAnswers:  # fmt: skip
    """The answers of the present live model. truth: external id -> ticket."""
    queue_id = queue_named(session, queue.name).id
    estimate = production_estimate(session, queue_id)
    found = select(Prediction.external_id, Prediction.label, ReviewItem.id).outerjoin(
        ReviewItem, ReviewItem.prediction_id == Prediction.id
    )
    mine = (Prediction.queue_id == queue_id, Prediction.model_version == estimate.model)
    rows = [row for row in session.execute(found.where(*mine)) if row[0] in truth]
    right = [truth[external_id].label == label for external_id, label, _item in rows]
    seen = [item is not None for _external_id, _label, item in rows]
    return LiveAnswers(
        estimate=estimate,
        budget=budget_reading(session, queue_id, queue, now),
        rows=len(rows),
        right=sum(right),
        seen=sum(seen),
        missed=sum(not is_right and not is_seen for is_right, is_seen in zip(right, seen, strict=True)),
    )


def truth_rows(answers: LiveAnswers) -> list[tuple[str, str]]:
    """The rows of the summary: names and words."""
    if not answers.rows:
        return []
    model, rows = answers.estimate.model, answers.rows
    budget = budget_line(answers.budget) if answers.budget is not None else NO_BUDGET
    return [
        (
            f"Live answers of {model}",
            f"estimate: {agreement(answers.estimate)}; in truth {_of(answers.right, rows)} right",
        ),
        ("Budget", budget),
        ("", f"People looked at {_of(answers.seen, rows)}; in truth {_of(answers.missed, rows)} were wrong and unseen"),
    ]


def _of(number: int, rows: int) -> str:
    return f"{number} of {rows} ({percent(round(number / rows, 3))})"
