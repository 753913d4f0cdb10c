"""A canary: a promoted model answers a share of the requests at first, and its predecessor answers the rest. Both
predict every input, and settled items are compared at planned looks. If the new model is worse, a rollback is proposed
to the leads (core/learning/lifecycle/canary_decisions.py): only a lead can make it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from core.delivery import notices
from core.learning.evaluation.canary import Paired, is_answered_by_new, is_compared, judge
from core.learning.lifecycle.announcements import announce_end_of_canary
from core.learning.lifecycle.open_items import request_renewal
from core.learning.lifecycle.presenting import model_changed
from core.policy import QueuePolicy
from core.queues import queue_named
from core.records.learning import Live, ModelVersion
from core.records.predictions import Prediction
from core.records.queues import Queue
from core.records.reviews import Correction, ReviewItem
from core.records.rollout import Canary, ParallelPrediction
from core.storage.ready import fetch
from core.vocabulary import CanaryState, CanaryVerdict, NoticeKind, QuestionAbout

_UNFINISHED_OF = (  # built once: workers ask it all day
    select(Canary.model_id)
    .join(Queue, Queue.id == Canary.queue_id)
    .where(Queue.name == bindparam("queue"), Canary.finished_at.is_(None))
)

Settled = tuple[str, str, str, str, str | None]  # external id, model that answered, its label, the other's, the verdict


@dataclass(frozen=True)
class CanaryLine:
    """A canary on the model's card. paired: the counts of the last look; looks_taken, looks: how many looks were taken
    and how many are planned."""

    state: CanaryState
    former: str
    share: float
    ends_at: datetime
    looks_taken: int
    looks: int
    paired: Paired


@dataclass(frozen=True)
class StillAnswering:
    """The share of requests that a former model still answers. new: the name of its successor, which is in its
    canary."""

    new: str
    share: float


@dataclass(frozen=True)
class CanaryWork:
    """The models of a running canary, for the worker that lets each model predict what the other one answered."""

    queue_id: int
    done_up_to: int
    new: tuple[int, str]  # id and name
    former: tuple[int, str]


def begin_canary(
    session: Session, live: Live, model: ModelVersion, former_id: int, now: datetime, queue: QueuePolicy
) -> None:
    """Begin the canary of a model that has just been promoted: it answers the policy's share of the requests. The
    caller holds the Live row."""
    newest = session.scalar(select(func.max(Prediction.id)).where(Prediction.queue_id == live.queue_id)) or 0
    session.add(
        Canary(
            model_id=model.id, former_model_id=former_id, queue_id=live.queue_id, state=CanaryState.RUNNING,
            share=queue.rollout.canary_share, alpha=queue.rollout.canary_alpha, looks=queue.rollout.canary_looks,
            looks_taken=0, started_at=now, ends_at=now + timedelta(hours=queue.rollout.canary_hours),
            first_after=newest, done_up_to=newest, n=0, regressions=0, improvements=0,
        )
    )  # fmt: skip
    session.flush()


def close_canary(session: Session, queue_id: int, state: CanaryState, now: datetime) -> None:
    """End the queue's canary, if it has one. The caller holds the Live row; repeating it changes nothing."""
    canary = session.scalar(_unfinished(queue_id).with_for_update())
    if canary is not None:
        canary.state, canary.finished_at = state, now
        _draw_both(session, canary, now)


def answering_model(session: Session, live_id: int, external_id: str) -> int:
    """The id of the model that answers this caller: the live one; during its canary, for most callers, its
    predecessor."""
    found = select(Canary.former_model_id, Canary.share).where(Canary.model_id == live_id, Canary.finished_at.is_(None))
    canary = session.execute(found).first()
    if canary is None or is_answered_by_new(external_id, live_id, canary.share):
        return live_id
    return int(canary.former_model_id)


def has_canary(session: Session, queue: QueuePolicy) -> bool:
    return bool(fetch(session, _UNFINISHED_OF, {"queue": queue.name}))


def canary_work(session: Session, queue: QueuePolicy) -> CanaryWork | None:
    """The work for the queue's canary. None: the queue has none."""
    if not has_canary(session, queue):
        return None
    canary = session.scalar(_unfinished(queue_named(session, queue.name).id))
    if canary is None:
        return None
    new, former = (session.get_one(ModelVersion, one) for one in (canary.model_id, canary.former_model_id))
    return CanaryWork(canary.queue_id, canary.done_up_to, (new.id, new.name), (former.id, former.name))


def canary_went_on(session: Session, model_id: int, done_up_to: int) -> None:
    """Note that both models have predicted everything up to this prediction. Locks the canary; an older number changes
    nothing."""
    canary = session.get_one(Canary, model_id, with_for_update=True, populate_existing=True)
    canary.done_up_to = max(canary.done_up_to, done_up_to)


def look(session: Session, queue: QueuePolicy, now: datetime) -> None:
    """Take the look that is due. Locks the Live row, then the canary. Repeating it changes nothing.

    If the new model is worse, a rollback is proposed, once a day until a lead decides; the share stays. If it is not
    worse at the last look, it answers all callers from then on. If there are fewer than `MINIMUM` settled items at the
    last look, that look waits for them, and the leads are told once.
    """
    live = session.get_one(Live, queue_named(session, queue.name).id, with_for_update=True, populate_existing=True)
    canary = session.scalar(_unfinished(live.queue_id).with_for_update().execution_options(populate_existing=True))
    if canary is None:
        return
    if not queue.rollout.canary_share:
        _answer_all(session, live, canary, CanaryState.ENDED, now)
    elif canary.state is CanaryState.PROPOSED:
        _tell(session, canary, NoticeKind.CANARY_WORSE, f":{now:%Y-%m-%d}", now, queue)
    elif _due(canary, now) > canary.looks_taken:
        _judge(session, live, canary, now, queue)


def canary_line(session: Session, model_id: int) -> CanaryLine | None:
    """The model's canary. None: it never had one."""
    canary = session.get(Canary, model_id, populate_existing=True)
    if canary is None:
        return None
    former = session.get_one(ModelVersion, canary.former_model_id).name
    paired = Paired(canary.n, canary.regressions, canary.improvements)
    return CanaryLine(canary.state, former, canary.share, canary.ends_at, canary.looks_taken, canary.looks, paired)


def still_answering(session: Session, model_id: int) -> StillAnswering | None:
    """The share that another model's canary leaves to this model. None: no canary does."""
    running = Canary.finished_at.is_(None)
    canary = session.scalar(select(Canary).where(Canary.former_model_id == model_id, running).limit(1))
    if canary is None:
        return None
    return StillAnswering(session.get_one(ModelVersion, canary.model_id).name, 1 - canary.share)


def paired_items(rows: Sequence[Settled], model_id: int, new: str, share: float) -> Paired:
    """Count the pairs of answers. rows: settled items that both models answered. Items that belong to neither group do
    not count. "None of these" counts: both models are wrong."""
    n = regressions = improvements = 0
    for external_id, answered_by, answered, other, right in rows:
        if is_compared(external_id, model_id, share):
            by_new, by_former = (answered, other) if answered_by == new else (other, answered)
            n += 1
            regressions += by_former == right != by_new
            improvements += by_new == right != by_former
    return Paired(n, regressions, improvements)


def _unfinished(queue_id: int) -> Select[Any]:
    return select(Canary).where(Canary.queue_id == queue_id, Canary.finished_at.is_(None))


def _due(canary: Canary, now: datetime) -> int:
    """The number of planned looks, evenly spread, whose time has come."""
    step = (canary.ends_at - canary.started_at) / canary.looks
    return max(0, min(canary.looks, (now - canary.started_at) // step))


def _judge(session: Session, live: Live, canary: Canary, now: datetime, queue: QueuePolicy) -> None:
    new = session.get_one(ModelVersion, canary.model_id).name
    paired = paired_items(_settled(session, canary, new), canary.model_id, new, canary.share)
    verdict, due = judge(paired, canary.alpha, canary.looks), _due(canary, now)
    is_last = due == canary.looks
    canary.n, canary.regressions, canary.improvements = paired.n, paired.regressions, paired.improvements
    if is_last and verdict is CanaryVerdict.NOT_YET:
        _tell(session, canary, NoticeKind.CANARY_NOT_YET, "", now, queue)
        return
    canary.looks_taken = due
    if verdict is CanaryVerdict.WORSE:
        canary.state = CanaryState.PROPOSED
        _tell(session, canary, NoticeKind.CANARY_WORSE, f":{now:%Y-%m-%d}", now, queue)
    elif is_last:
        _tell(session, canary, NoticeKind.CANARY_PASSED, "", now, queue)
        _answer_all(session, live, canary, CanaryState.PASSED, now)
    model_changed(session, canary.model_id, now)


def _answer_all(session: Session, live: Live, canary: Canary, state: CanaryState, now: datetime) -> None:
    canary.state, canary.finished_at = state, now
    model = session.get_one(ModelVersion, canary.model_id)
    request_renewal(session, live, model, may_close=True, now=now, part="whole")
    announce_end_of_canary(session, model, now)
    _draw_both(session, canary, now)


def _draw_both(session: Session, canary: Canary, now: datetime) -> None:
    """Redraw the cards of both models: each says which share of the requests the model answers."""
    for model_id in (canary.model_id, canary.former_model_id):
        model_changed(session, model_id, now)


def _settled(session: Session, canary: Canary, new: str) -> Sequence[Settled]:
    former = session.get_one(ModelVersion, canary.former_model_id).name
    other_said = or_(
        and_(Prediction.model_version == new, ParallelPrediction.model_id == canary.former_model_id),
        and_(Prediction.model_version == former, ParallelPrediction.model_id == canary.model_id),
    )
    found = session.execute(
        select(
            Prediction.external_id, Prediction.model_version, Prediction.label, ParallelPrediction.label,
            Correction.label,
        )
        .join(ReviewItem, ReviewItem.prediction_id == Prediction.id)
        .join(Correction, and_(Correction.item_id == ReviewItem.id, Correction.is_current))
        .join(ParallelPrediction, and_(ParallelPrediction.prediction_id == Prediction.id, other_said))
        .where(
            Prediction.queue_id == canary.queue_id,
            Prediction.id > canary.first_after,
            Prediction.label.is_not(None),
            ReviewItem.about == QuestionAbout.PREDICTION,
        )
    )  # fmt: skip
    return [(name, version, str(label), other, right) for name, version, label, other, right in found]


def _tell(session: Session, canary: Canary, kind: NoticeKind, when: str, now: datetime, queue: QueuePolicy) -> None:
    model = session.get_one(ModelVersion, canary.model_id)
    values = {
        "queue": queue.shown_title, "name": queue.name, "model": model.name,
        "former": session.get_one(ModelVersion, canary.former_model_id).name,
        "n": canary.n, "regressions": canary.regressions, "improvements": canary.improvements,
    }  # fmt: skip
    notices.notify(session, kind, f"{kind}:{model.id}{when}", model.queue.leads_channel, None, values, now)
