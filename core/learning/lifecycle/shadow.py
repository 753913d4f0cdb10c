"""A candidate's shadow: for the policy's hours it predicts beside the live model, and callers do not see its
predictions. Then its report shows where the two agree, and the leads decide."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from core import jobs
from core.delivery import notices
from core.delivery.outbox import places
from core.jobs import Claim
from core.learning.lifecycle.models import newest_evaluation
from core.learning.lifecycle.parallel import SETTLES
from core.learning.lifecycle.presenting import model_changed
from core.learning.lifecycle.runs import say_progress
from core.policy import QueuePolicy
from core.queues import queue_named
from core.records.learning import ModelVersion, TrainingRun
from core.records.predictions import Prediction
from core.records.queues import Queue
from core.records.rollout import ParallelPrediction, Shadow
from core.storage.ready import fetch
from core.vocabulary import Card, Coded, ModelState, NoticeKind, RunState, RunStep

LOOKS_AGAIN = timedelta(minutes=1)  # after which a run that waits for a shadow looks whether it has ended

_UNFINISHED_OF = (  # built once: workers ask it all day
    select(Shadow.model_id)
    .join(Queue, Queue.id == Shadow.queue_id)
    .where(Queue.name == bindparam("queue"), Shadow.finished_at.is_(None))
)


@dataclass(frozen=True)
class LabelAgreement:
    """Agreement on one label. label: the answer that was returned; n: how often; agreed: how often the candidate gives
    the same label."""

    label: str
    n: int
    agreed: int


@dataclass(frozen=True)
class Disagreement:
    answered: str
    candidate: str
    count: int


@dataclass(frozen=True)
class ShadowReport:
    """n: predictions that both models made. labels: by agreement, lowest first; disagreements: most frequent first."""

    n: int
    agreed: int
    labels: tuple[LabelAgreement, ...]
    disagreements: tuple[Disagreement, ...]


@dataclass(frozen=True)
class Apart:
    """A prediction on which candidate and live model disagree. id: the sender's."""

    id: str
    answered: str
    answered_confidence: float
    candidate: str
    candidate_confidence: float


@dataclass(frozen=True)
class ShadowLine:
    """A candidate's shadow on its card. ends_at: None: it begins at once. report: None: it has not finished."""

    ends_at: datetime | None
    report: ShadowReport | None


@dataclass(frozen=True)
class ShadowTimes:
    """The times of a shadow. finished_at: None: it is still running."""

    ends_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class Running:
    """A shadow that has work for a worker."""

    model_id: int
    queue_id: int
    ends_at: datetime
    done_up_to: int


_ADAPTER = TypeAdapter(ShadowReport)


def may_have_shadow(session: Session, queue: QueuePolicy) -> bool:
    """Whether there may be work for a shadow: one that has not finished, or has to begin. It only reads, so it can be
    called every few seconds."""
    if fetch(session, _UNFINISHED_OF, {"queue": queue.name}):
        return True
    if not queue.rollout.shadow_hours:
        return False
    return candidate_in_shadow(session, queue_named(session, queue.name).id, queue) is not None


def running_shadow(session: Session, queue: QueuePolicy, now: datetime) -> Running | None:
    """The queue's unfinished shadow. If a candidate is due for one, its shadow begins. Locks the candidate. None: there
    is none."""
    row = queue_named(session, queue.name)
    shadow = session.scalar(
        select(Shadow).where(Shadow.queue_id == row.id, Shadow.finished_at.is_(None)).with_for_update().limit(1)
    )
    if shadow is None:
        due = candidate_in_shadow(session, row.id, queue)
        shadow = _begin(session, due, now, queue) if due is not None else None
    return Running(shadow.model_id, shadow.queue_id, shadow.ends_at, shadow.done_up_to) if shadow else None


def candidate_in_shadow(session: Session, queue_id: int, queue: QueuePolicy) -> ModelVersion | None:
    """The candidate that may not be decided on yet, because its shadow has not ended, or not begun. A candidate that
    the gate refused has no shadow: it would only delay a better one."""
    if not queue.rollout.shadow_hours:
        return None
    finished = select(Shadow.model_id).where(Shadow.finished_at.is_not(None))
    model = session.scalar(
        select(ModelVersion)
        .where(
            ModelVersion.queue_id == queue_id,
            ModelVersion.state == ModelState.CANDIDATE,
            ModelVersion.id.not_in(finished),
        )
        .order_by(ModelVersion.id.desc())
        .limit(1)
    )
    return model if model is not None and newest_evaluation(session, model.id).passed else None


def go_on(session: Session, model_id: int, done_up_to: int) -> None:
    """Note that predictions up to this one have been looked at. Locks the shadow; an older number changes nothing."""
    shadow = session.get_one(Shadow, model_id, with_for_update=True, populate_existing=True)
    shadow.done_up_to = max(shadow.done_up_to, done_up_to)


def has_ended(session: Session, running: Running, now: datetime, queue: QueuePolicy) -> bool:
    """Whether the shadow's hours are over, the candidate was decided on, or the policy has no shadow any more."""
    state = session.get_one(ModelVersion, running.model_id, populate_existing=True).state
    return now >= running.ends_at + SETTLES or state is not ModelState.CANDIDATE or not queue.rollout.shadow_hours


def finish(session: Session, model_id: int, now: datetime, queue: QueuePolicy) -> None:
    """Store the report and ask the leads, in a message of its own: Slack notifies no one of an edited report. They are
    not asked about a candidate that was decided on meanwhile. Locks the shadow; repeating it changes nothing."""
    shadow = session.get_one(Shadow, model_id, with_for_update=True, populate_existing=True)
    if shadow.finished_at is not None:
        return
    report, model = _count(session, model_id), session.get_one(ModelVersion, model_id)
    shadow.finished_at, shadow.report, model.asked_at = now, as_dict(report), now
    model_changed(session, model_id, now)
    if model.state is ModelState.CANDIDATE:
        _tell_leads(session, model, report, now, queue)


def shadow_report(session: Session, model_id: int) -> ShadowReport | None:
    """The report so far, or as stored when the shadow ended. None: the candidate never was in shadow."""
    shadow = session.get(Shadow, model_id)
    if shadow is None:
        return None
    return _ADAPTER.validate_python(shadow.report) if shadow.finished_at else _count(session, model_id)


def shadow_times(session: Session, model_id: int) -> ShadowTimes | None:
    """None: the candidate never was in shadow."""
    shadow = session.get(Shadow, model_id)
    return ShadowTimes(shadow.ends_at, shadow.finished_at) if shadow is not None else None


def predictions_apart(session: Session, model_id: int) -> list[Apart]:
    """The predictions on which candidate and live model disagree, the candidate's most confident ones first. They are
    deleted after a while."""
    found = session.execute(
        select(
            Prediction.external_id,
            Prediction.label,
            Prediction.confidence,
            ParallelPrediction.label,
            ParallelPrediction.confidence,
        )
        .join(Prediction, Prediction.id == ParallelPrediction.prediction_id)
        .where(ParallelPrediction.model_id == model_id, Prediction.label != ParallelPrediction.label)
        .order_by(ParallelPrediction.confidence.desc(), Prediction.id)
    )
    return [Apart(name, str(answered), sure or 0.0, label, surer) for name, answered, sure, label, surer in found]


def shadow_line(session: Session, model: ModelVersion, queue: QueuePolicy) -> ShadowLine | None:
    """The shadow on a candidate's card. None: it has none."""
    shadow = session.get(Shadow, model.id, populate_existing=True)
    if shadow is not None and shadow.finished_at is not None:
        return ShadowLine(shadow.ends_at, shadow_report(session, model.id))
    waits = candidate_in_shadow(session, model.queue_id, queue)
    return ShadowLine(shadow.ends_at if shadow else None, None) if waits and waits.id == model.id else None


def wait_for_shadow(session: Session, claimed: Claim, now: datetime, queue: QueuePolicy) -> bool:
    """Whether this training run has to wait, because its candidate would supersede one in shadow. If so, the job is put
    back, and the run's card says why. A run that has begun goes on."""
    run = session.get_one(TrainingRun, claimed.payload["run_id"])
    shadowed = candidate_in_shadow(session, run.queue_id, queue) if run.state is RunState.REQUESTED else None
    if shadowed is None:
        return False
    jobs.release(session, claimed, now + LOOKS_AGAIN)
    if run.progress != RunStep.SHADOW:
        say_progress(session, run, Coded(RunStep.SHADOW, {"model": shadowed.name}), now)
    return True


def as_dict(report: ShadowReport) -> dict[str, Any]:
    """The report for a JSON column."""
    dumped: dict[str, Any] = _ADAPTER.dump_python(report, mode="json")
    return dumped


def _begin(session: Session, model: ModelVersion, now: datetime, queue: QueuePolicy) -> Shadow:
    """Begin the shadow. Locks the candidate: another worker may have begun it. The leads are asked when it ends; until
    then no reminder is sent, and the candidate does not expire."""
    session.refresh(model, with_for_update={"of": ModelVersion})
    begun = session.get(Shadow, model.id, populate_existing=True)
    if begun is not None:
        return begun
    newest = select(func.max(Prediction.id)).where(Prediction.queue_id == model.queue_id)
    ends_at = now + timedelta(hours=queue.rollout.shadow_hours)
    shadow = Shadow(
        model_id=model.id,
        queue_id=model.queue_id,
        started_at=now,
        ends_at=ends_at,
        done_up_to=session.scalar(newest) or 0,
        report={},
    )
    session.add(shadow)
    model.asked_at = ends_at
    session.flush()
    model_changed(session, model.id, now)
    return shadow


def _tell_leads(session: Session, model: ModelVersion, report: ShadowReport, now: datetime, queue: QueuePolicy) -> None:
    place = places(session, Card.CANDIDATE, [model.id]).get(model.id)
    values = {
        "queue": queue.shown_title, "model": model.name, "n": report.n, "agreed": report.agreed,
        "report": (place.channel, place.ts) if place else None,
    }  # fmt: skip
    key = f"{NoticeKind.SHADOW_OVER}:{model.id}"
    notices.notify(session, NoticeKind.SHADOW_OVER, key, model.queue.leads_channel, None, values, now)


def _count(session: Session, model_id: int) -> ShadowReport:
    pairs = session.execute(
        select(Prediction.label, ParallelPrediction.label, func.count())
        .join(Prediction, Prediction.id == ParallelPrediction.prediction_id)
        .where(ParallelPrediction.model_id == model_id, Prediction.label.is_not(None))
        .group_by(Prediction.label, ParallelPrediction.label)
    ).all()
    return report_of([(str(answered), candidate, count) for answered, candidate, count in pairs])


def report_of(pairs: list[tuple[str, str, int]]) -> ShadowReport:
    """The report of these pairs. pairs: (the answer that was returned, the candidate's, how often), each pair once."""
    labels = []
    for name in {answered for answered, _candidate, _count in pairs}:
        n = sum(count for answered, _candidate, count in pairs if answered == name)
        agreed = sum(count for answered, candidate, count in pairs if answered == candidate == name)
        labels.append(LabelAgreement(name, n, agreed))
    apart = [Disagreement(*pair) for pair in pairs if pair[0] != pair[1]]
    return ShadowReport(
        n=sum(one.n for one in labels),
        agreed=sum(one.agreed for one in labels),
        labels=tuple(sorted(labels, key=lambda one: (one.agreed / one.n, -one.n, one.label))),
        disagreements=tuple(sorted(apart, key=lambda one: (-one.count, one.answered, one.candidate))),
    )
