"""The effort behind a model: the items that people settled for it, their votes, and the accuracy of each model so
far."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnExpressionArgument, func, select
from sqlalchemy.orm import Session

from core.learning.evaluation.intervals import Interval
from core.learning.evaluation.scorecard import Scorecard
from core.records.learning import Decision, Evaluation, ModelVersion, Snapshot, TrainingRun
from core.records.reviews import Answer, Correction
from core.vocabulary import AnswerKind, DecisionKind

NEWEST = 40  # models of a curve: more points cannot be told apart on a picture
WENT_LIVE = (DecisionKind.PROMOTE, DecisionKind.OVERRULE)


@dataclass(frozen=True)
class Effort:
    """items: settled items; votes: the current votes on them, without leads' decisions."""

    items: int
    votes: int


@dataclass(frozen=True)
class CurvePoint:
    """One model of the curve. items: those settled before its training rows were taken. accuracy: on the n random
    golden examples of its first report, with its 95 % interval. went_live: at any time."""

    name: str
    items: int
    accuracy: Interval
    n: int
    went_live: bool


def effort(session: Session, queue_id: int, after: datetime | None, until: datetime) -> Effort:
    """The effort between two moments (after None: from the beginning). Each item counts once; an item that was settled
    again counts where it was settled last."""
    settled = _settled(queue_id, after, until)
    return Effort(_items(session, *settled), _votes(session, *settled))


def learning_curve(session: Session, queue_id: int) -> list[CurvePoint]:
    """The queue's newest models that were measured on random golden examples, oldest first.

    Each was measured on the golden set of its own day, so two points differ by their examples, too.
    """
    found = session.execute(
        select(ModelVersion, Snapshot.created_at)
        .join(TrainingRun, TrainingRun.id == ModelVersion.run_id)
        .join(Snapshot, Snapshot.id == TrainingRun.snapshot_id)
        .where(ModelVersion.queue_id == queue_id)
        .order_by(ModelVersion.id.desc())
        .limit(NEWEST)
    )
    points, items, before = [], 0, None
    for model, taken_at in reversed(found.all()):
        items += _items(session, *_settled(queue_id, before, taken_at))
        points.append(_point(session, model, items))
        before = taken_at
    return [point for point in points if point.n]


def _settled(queue_id: int, after: datetime | None, until: datetime) -> list[ColumnExpressionArgument[bool]]:
    settled: list[ColumnExpressionArgument[bool]] = [
        Correction.queue_id == queue_id,
        Correction.is_current,
        Correction.settled_at <= until,
    ]
    return settled if after is None else [*settled, Correction.settled_at > after]


def _items(session: Session, *settled: ColumnExpressionArgument[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Correction).where(*settled)) or 0


def _votes(session: Session, *settled: ColumnExpressionArgument[bool]) -> int:
    found = (
        select(func.count())
        .select_from(Answer)
        .join(Correction, Correction.item_id == Answer.item_id)
        .where(*settled, Answer.is_current, Answer.kind.in_([AnswerKind.LABEL, AnswerKind.NONE_OF_THESE]))
    )
    return session.scalar(found) or 0


def _point(session: Session, model: ModelVersion, items: int) -> CurvePoint:
    first = select(Evaluation.scorecard).where(Evaluation.model_id == model.id).order_by(Evaluation.id).limit(1)
    random = Scorecard.from_dict(session.scalars(first).one()).random
    promoted = select(Decision.id).where(Decision.model_id == model.id, Decision.kind.in_(WENT_LIVE)).limit(1)
    went_live = session.scalar(promoted) is not None
    return CurvePoint(model.name, items, random.candidate, random.n, went_live)
