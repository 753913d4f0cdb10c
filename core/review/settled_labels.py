"""Statistics of a queue's settled labels: whether suggestions sway the votes behind them, and which labels were settled
under an older guideline."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, aliased

from core.queues import queue_named
from core.records.learning import GoldenExample
from core.records.predictions import Prediction
from core.records.reviews import Answer, Correction, ReviewItem
from core.review.anchoring import JudgedVote
from core.review.questions import ABOUT_PREDICTION
from core.storage.database import kind_of, run
from core.storage.lists import among, as_list
from core.vocabulary import AnswerKind, Destination

NEWEST = 2_000  # settled items whose votes are judged


@dataclass(frozen=True)
class StaleLabel:
    """A label that was settled under an older version of the guideline. correction_id: of one that trains; golden_id:
    of a golden example; both None: nothing is learned or tested with it."""

    item_id: int
    label: str | None
    guideline: int
    settled_at: datetime
    correction_id: int | None
    golden_id: int | None


@dataclass(frozen=True)
class StaleLabels:
    """guideline: the present version; total: the number of all stale labels; labels: the first of them. Labels of the
    oldest version come first; of these, the newest labels."""

    guideline: int
    total: int
    labels: tuple[StaleLabel, ...]


def judged_votes(session: Session, queue_id: int, newest: int = NEWEST) -> list[JudgedVote]:
    """The votes on the newest settled items that asked about a prediction with a label. newest: how many items, at
    most."""
    settled = (
        select(Correction.item_id, Correction.label)
        .join(ReviewItem, ReviewItem.id == Correction.item_id)
        .join(Prediction, Prediction.id == ReviewItem.prediction_id)
        .where(Correction.queue_id == queue_id, Correction.is_current, ABOUT_PREDICTION, Prediction.label.is_not(None))
        .order_by(Correction.settled_at.desc())
        .limit(newest)
    )
    right = dict(session.execute(settled).all())
    kind = kind_of(session)
    found = run(session, _votes_on(kind), {"ids": as_list(kind, right)})
    return [JudgedVote(item_id, bool(guided), said == right[item_id]) for item_id, guided, said in found]


@cache
def _votes_on(kind: str) -> Select[int, bool, str | None]:
    """The votes on a list of items. Given a query in place of the list, PostgreSQL would read all answers."""
    return select(Answer.item_id, Answer.suggestion_shown, Answer.label).where(
        among(Answer.item_id, kind, "ids"),
        Answer.is_current,
        Answer.kind.in_([AnswerKind.LABEL, AnswerKind.NONE_OF_THESE]),
    )


def stale_labels(session: Session, queue_name: str, most: int) -> StaleLabels:
    """The stale labels of predictions whose text is kept. A label about which people were asked again under the present
    version is not stale."""
    queue = queue_named(session, queue_name)
    version = queue.guideline_version or 0
    stale = (
        select(Correction, GoldenExample.id)
        .join(ReviewItem, ReviewItem.id == Correction.item_id)
        .join(Prediction, Prediction.id == ReviewItem.prediction_id)
        .outerjoin(GoldenExample, (GoldenExample.correction_id == Correction.id) & GoldenExample.withdrawn_at.is_(None))
        .where(Correction.queue_id == queue.id, Correction.is_current, ABOUT_PREDICTION)
        .where(Correction.guideline_version < version, Prediction.erased_at.is_(None), ~_asked_again(version))
    )
    total = session.scalar(select(func.count()).select_from(stale.with_only_columns(Correction.id).subquery())) or 0
    if not total:
        return StaleLabels(version, 0, ())
    first = stale.order_by(Correction.guideline_version, Correction.settled_at.desc(), Correction.id.desc()).limit(most)
    return StaleLabels(version, total, _labels(session.execute(first).unique().all()))


def _asked_again(version: int) -> ColumnElement[bool]:
    """Whether a later item about the same row, or about its golden example, was settled under this version."""
    again, item = aliased(Correction), aliased(ReviewItem)
    return (
        select(again.id)
        .join(item, item.id == again.item_id)
        .where(again.is_current, again.guideline_version >= version)
        .where((item.prediction_id == Prediction.id) | (item.golden_id == GoldenExample.id))
        .exists()
    )


def _labels(rows: Sequence[Any]) -> tuple[StaleLabel, ...]:
    return tuple(
        StaleLabel(
            item_id=row.item_id,
            label=row.label,
            guideline=row.guideline_version,
            settled_at=row.settled_at,
            correction_id=row.id if row.destination is Destination.TRAINING else None,
            golden_id=golden_id,
        )
        for row, golden_id in rows
    )
