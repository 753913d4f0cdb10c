"""The threshold of a queue with a budget, called its cut: predictions with at least this score wait to be reviewed.

It is computed from the newest 2,000 scores and from the number of predictions expected today. Scores of different
models are on different scales. When another model goes live, it scores the newest inputs and the waiting predictions
again. Predictions of any other model, such as a sender's own, have a cut on the scale of their own scores, and are
scored by the present model while they wait.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, cast

from sqlalchemy import Select, Table, case, func, select
from sqlalchemy.orm import Session

from core.intake.scores import score_of
from core.learning.data.inputs import Input
from core.learning.data.pixels import with_pixels
from core.learning.data.traffic import IS_TRAFFIC
from core.policy import QueuePolicy
from core.queues import queue_named
from core.records.predictions import FlagCut, Prediction, WaitingPrediction
from core.review.promise_reading import extra_cut
from core.review.workload import day_began
from core.storage.bulk import Changes, update_all
from core.storage.database import insert

SCORES = 2_000
FEWEST = 100  # scores; below, any prediction may wait for room
NEVER = 2.0  # a cut that no score reaches
WEEKS = 4  # from which the volume of a day is estimated
STALE = timedelta(minutes=5)
MOST_RENEWED = 20_000  # waiting predictions that a new model scores, the most suspicious first

_LINE = cast(Table, WaitingPrediction.__table__).c
_WAITS = _LINE.ended_at.is_(None)
_SCORES = Changes(
    cast(Table, WaitingPrediction.__table__),
    each=("score", "scored_by"),
    key=("prediction_id",),
    values=lambda new: {
        "score": case((_WAITS, func.coalesce(new["score"], _LINE.score)), else_=_LINE.score),
        "scored_by": case((_WAITS, new["scored_by"]), else_=_LINE.scored_by),
    },
)


@dataclass(frozen=True)
class Cuts:
    """The cuts of a queue. model: the present one. own: the cut for its predictions; others: the cut for those of any
    other model."""

    model: str
    own: float
    others: float

    def of(self, model_version: str) -> float:
        return self.own if model_version == self.model else self.others


@dataclass(frozen=True)
class Unscored:
    """A prediction of another model than the present one."""

    prediction_id: int
    input: Input


@dataclass(frozen=True)
class CutWork:
    """The data from which a new cut is computed. model: the present one. known: the newest predictions' scores by it.
    others: the newest predictions that it has not scored; their_scores: the scores of these by their own models.
    waiting: predictions on the waiting list that it has not scored."""

    model: str
    known: tuple[float, ...]
    others: tuple[Unscored, ...]
    their_scores: tuple[float, ...]
    waiting: tuple[Unscored, ...]


def cut_at(scores: Sequence[float], share: float) -> float:
    """The lowest cut that at most `share` of these scores reach, apart from ties. With fewer than 100 scores: 0."""
    wanted = round(share * len(scores))
    if len(scores) < FEWEST or share >= 1:
        return 0.0
    return sorted(scores, reverse=True)[wanted - 1] if wanted else NEVER


def present_cuts(session: Session, queue_id: int, policy: QueuePolicy) -> Cuts | None:
    """The cut in force. None: the queue has no budget, or no cut yet."""
    if policy.flagging.limit is None:
        return None
    mine = select(FlagCut.model_version, FlagCut.cut, FlagCut.others_cut).where(FlagCut.queue_id == queue_id)
    found = session.execute(mine).first()
    return Cuts(*found) if found else None


def cut_work(session: Session, policy: QueuePolicy, live: str | None, now: datetime) -> CutWork | None:
    """The work that is due. None: the cut is fresh, or there are no predictions. live: the name of the live model;
    without one, the sender's newest version is the present model, and cannot score earlier predictions."""
    queue_id = queue_named(session, policy.name).id
    model = live or session.scalar(_by_age(queue_id, Prediction.model_version).limit(1))
    former = session.get(FlagCut, queue_id)
    if model is None or (former and former.model_version == model and _is_fresh(former, policy, now)):
        return None
    newest = session.scalars(_by_age(queue_id, Prediction).limit(SCORES)).all()
    if not newest:
        return None
    known = [row for row in newest if row.model_version == model and (row.suspicion is not None or not live)]
    ids = {row.id for row in known}
    unscored = [row for row in newest if row.id not in ids]
    readable = [row for row in unscored if live and row.erased_at is None]
    return CutWork(
        model=model,
        known=tuple(map(score_of, known)),
        others=tuple(_unscored(session, queue_id, readable)),
        their_scores=tuple(map(score_of, unscored)),
        waiting=tuple(_waiting(session, queue_id, model) if live else ()),
    )


def store_cut(
    session: Session,
    policy: QueuePolicy,
    model: str,
    scores: Sequence[float],
    renewed: Mapping[int, float | None],
    now: datetime,
    their_scores: Sequence[float] = (),
) -> None:
    """Compute the cut and store it. scores: of the newest predictions by `model`; their_scores: of the newest
    predictions of other models, by these models. renewed: the present model's score of each waiting prediction; None:
    it cannot read the input, so the score stays. Locks the cut."""
    queue_id = queue_named(session, policy.name).id
    assert policy.flagging.limit is not None, "the caller's queue has a budget"
    volume = expected_volume(session, queue_id, policy, now)
    share = policy.flagging.limit.rule_share(volume, policy.flagging.audit_share)
    budget_cut, extra = cut_at(scores, share), extra_cut(session, queue_id, policy, model)
    cut = budget_cut if extra is None else min(budget_cut, extra)
    values = {
        "model_version": model,
        "cut": cut,
        "others_cut": cut_at(their_scores, share if cut == budget_cut else _share_at(scores, cut)),
        "budget_cut": budget_cut,
        "scores": len(scores),
        "volume": volume,
        "policy_fingerprint": policy.fingerprint,
        "made_at": now,
    }
    row = insert(session, FlagCut).values(queue_id=queue_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["queue_id"], set_=values))
    new = [{"prediction_id": one, "score": score, "scored_by": model} for one, score in renewed.items()]
    update_all(session, _SCORES, new)


def _share_at(scores: Sequence[float], cut: float) -> float:
    """The share of the scores that a cut flags."""
    return sum(score >= cut for score in scores) / len(scores) if scores else 1.0


def expected_volume(session: Session, queue_id: int, policy: QueuePolicy, now: datetime) -> int | None:
    """The predictions expected in a day like today: the median of this weekday over the last four weeks, since the
    queue's first prediction; if there is no such day yet, the median of its last whole days. None: it has no whole
    day."""
    first = session.scalar(select(func.min(Prediction.created_at)).where(Prediction.queue_id == queue_id))
    if first is None:
        return None
    weeks = _counts(session, queue_id, policy, first, now, [7 * week for week in range(1, WEEKS + 1)])
    counts = weeks or _counts(session, queue_id, policy, first, now, list(range(1, 7)))
    return round(median(counts)) if counts else None


def _counts(
    session: Session, queue_id: int, policy: QueuePolicy, first: datetime, now: datetime, ago: Sequence[int]
) -> list[int]:
    """The number of predictions on each of these days, counted back from today, in the queue's time zone. Days before
    the first prediction are left out."""
    noon = now.astimezone(policy.zone).replace(hour=12)
    days = [(day_began(noon - timedelta(days=n), policy.zone), day_began(noon - timedelta(days=n - 1), policy.zone))
            for n in ago]  # fmt: skip
    return [
        session.scalar(
            select(func.count()).where(
                Prediction.queue_id == queue_id, Prediction.created_at >= began, Prediction.created_at < ended
            )
        ) or 0
        for began, ended in days
        if ended > first
    ]  # fmt: skip


def _is_fresh(cut: FlagCut, policy: QueuePolicy, now: datetime) -> bool:
    return cut.policy_fingerprint == policy.fingerprint and timedelta(0) <= now - cut.made_at < STALE


def _by_age(queue_id: int, what: Any) -> Select[Any]:
    """The newest prediction first."""
    found = select(what).where(Prediction.queue_id == queue_id, Prediction.label.is_not(None), IS_TRAFFIC)
    return found.order_by(Prediction.created_at.desc(), Prediction.id.desc())


def _waiting(session: Session, queue_id: int, model: str) -> list[Unscored]:
    found = (
        select(Prediction)
        .join(WaitingPrediction, WaitingPrediction.prediction_id == Prediction.id)
        .where(WaitingPrediction.queue_id == queue_id, WaitingPrediction.ended_at.is_(None))
        .where(WaitingPrediction.scored_by.is_distinct_from(model), Prediction.erased_at.is_(None))
        .order_by(WaitingPrediction.score.desc())
        .limit(MOST_RENEWED)
    )
    return _unscored(session, queue_id, session.scalars(found).all())


def _unscored(session: Session, queue_id: int, rows: Sequence[Prediction]) -> list[Unscored]:
    inputs = with_pixels(session, queue_id, [Input.of(row.text, row.image_url, row.fields) for row in rows])
    return [Unscored(row.id, one) for row, one in zip(rows, inputs, strict=True)]
