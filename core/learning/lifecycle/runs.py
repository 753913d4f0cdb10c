"""Training runs as rows: when one is due, its progress, its failure. The work itself is in training.py."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, case, func, literal_column, or_, select, text
from sqlalchemy.orm import Session

from core import jobs
from core.delivery import notices
from core.learning.lifecycle.presenting import run_changed, run_requested
from core.policy import QueuePolicy
from core.records.learning import ModelVersion, TrainingRun
from core.records.queues import QueueRow
from core.records.reviews import Correction
from core.storage.database import insert
from core.storage.ready import Question, ask
from core.vocabulary import Coded, Destination, ModelState, NoticeKind, RunState, RunStep, Trigger

NEWEST = 2**62  # no correction has a higher id

TRAIN = "train"  # the job that makes a candidate
EVALUATE = "evaluate"  # the job that compares one again

# Written into the statement: as values, they decide whether SQLite can use the index of runs that are requested, so it
# would plan the statement anew for each item that is settled, which takes ten times as long as running it.
_REQUESTED: ColumnElement[str] = literal_column(f"'{RunState.REQUESTED}'")
_RUNNING: ColumnElement[str] = literal_column(f"'{RunState.RUNNING}'")
_IS_UNDER_WAY = or_(TrainingRun.state == _REQUESTED, TrainingRun.state == _RUNNING)
_RUNS = select(TrainingRun.id).where(TrainingRun.queue_id == bindparam("queue_id"))
_COUNTED = select(func.coalesce(func.max(TrainingRun.last_correction_id), 0)).where(
    TrainingRun.queue_id == bindparam("queue_id")
)
_IN_REVIEW = select(ModelVersion.id).where(
    ModelVersion.queue_id == bindparam("queue_id"),
    ModelVersion.state == ModelState.CANDIDATE,
    ModelVersion.created_at > bindparam("since"),
)
_NEW = (
    select(func.count())
    .select_from(
        select(Correction.id)
        .where(
            Correction.queue_id == bindparam("queue_id"),
            Correction.id > _COUNTED.scalar_subquery(),
            Correction.id <= bindparam("up_to"),
            Correction.is_current,
            Correction.label.is_not(None),
            Correction.destination != Destination.BATCH,
        )
        .limit(bindparam("wanted"))
        .subquery()
    )
    .scalar_subquery()
)
# Counts no further than what is wanted, and not at all while a run is under way, or while leads look at a new
# candidate, which the next one would supersede: every settled item asks. SQLite would ask a condition for each row.
_NEW_CORRECTIONS = select(case((or_(_RUNS.where(_IS_UNDER_WAY).exists(), _IN_REVIEW.exists()), 0), else_=_NEW))


def request_run(
    session: Session,
    queue: QueueRow,
    trigger: Trigger,
    person: str | None,
    now: datetime,
    policy: QueuePolicy,
    last: int | None = None,
) -> int | None:
    """Request a training run. Returns the run's id; None if a run of this queue is waiting already. last: the newest
    correction that counts for it; by default, the queue's newest."""
    if last is None:
        last = session.scalar(select(func.max(Correction.id)).where(Correction.queue_id == queue.id)) or 0
    run_id: int | None = session.scalar(
        insert(session, TrainingRun)
        .values(
            queue_id=queue.id,
            state=RunState.REQUESTED,
            trigger=trigger,
            requested_by=person,
            requested_at=now,
            last_correction_id=last,
            seed=1 + (session.scalar(select(func.count()).where(TrainingRun.queue_id == queue.id)) or 0),
            progress=RunStep.WAITING,
            progress_values={},
            weighing="",
            weighing_values={},
            problem="",
            problem_values={},
            policy_fingerprint=policy.fingerprint,
        )
        .on_conflict_do_nothing(index_elements=["queue_id"], index_where=text("state = 'requested'"))
        .returning(TrainingRun.id)
    )
    if run_id is not None:
        jobs.enqueue(session, TRAIN, train_key(run_id), {"run_id": run_id}, now, mutex=f"{TRAIN}:{queue.name}")
        run_requested(session, run_id, queue, now)
    return run_id


def request_run_if_due(session: Session, queue: QueueRow, now: datetime, policy: QueuePolicy) -> None:
    """Request a training run when enough corrections with a label have come since the last run was requested. Not while
    a run is under way, nor while a candidate that is younger than the policy's interval waits for leads."""
    if ask(session, is_due(queue.id, now, policy)):
        request_run(session, queue, Trigger.CORRECTIONS, None, now, policy)


def is_due(queue_id: int, now: datetime, policy: QueuePolicy, up_to: int = NEWEST) -> Question[bool]:
    """Whether `request_run_if_due` would request a run. up_to: the last correction that counts."""
    wanted, since = policy.retraining.corrections, now - policy.retraining.interval
    values = {"queue_id": queue_id, "wanted": wanted, "since": since, "up_to": up_to}
    return Question(_NEW_CORRECTIONS, values, lambda found: bool(wanted) and found[0][0] == wanted)


def request_run_among(
    session: Session, queue: QueueRow, settled: Sequence[tuple[int, datetime]], policy: QueuePolicy
) -> None:
    """Request a run after several corrections of the queue were stored at once, if it is due after the last of them.
    settled: each correction with its time, in their order.

    The run counts corrections up to the one that made it due, as if `request_run_if_due` had been called after each.
    """
    (_last, at), earlier = settled[-1], settled[:-1]
    for correction_id, now in earlier:
        if ask(session, is_due(queue.id, now, policy, correction_id)):
            request_run(session, queue, Trigger.CORRECTIONS, None, now, policy, correction_id)
            return
    request_run(session, queue, Trigger.CORRECTIONS, None, at, policy)


def train_key(run_id: int) -> str:
    """The key of the run's job."""
    return f"{TRAIN}:{run_id}"


def locked_run(session: Session, run_id: int) -> TrainingRun:
    """The run, locked for a change. Its queue is read with it and not locked: intake shares the queue's row."""
    return session.get_one(TrainingRun, run_id, with_for_update={"of": TrainingRun})


def fail_run(session: Session, run_id: int, problem: Coded, now: datetime) -> None:
    """End the run as failed. problem: of `RunProblem`."""
    run = locked_run(session, run_id)
    run.state, run.finished_at = RunState.FAILED, now
    run.problem, run.problem_values = problem.code, dict(problem.values)
    run_changed(session, run.id, now, urgent=True)


def give_up_evaluation(session: Session, model_id: int, problem: Coded, now: datetime) -> None:
    """Tell the leads that a candidate could not be compared with the new live model, for which they wait, and what to
    do. problem: of `RunProblem`."""
    model = session.get_one(ModelVersion, model_id)
    values = {"queue": model.queue.name, "model": model.name, "problem": problem.as_dict()}
    key = f"{NoticeKind.COMPARISON_FAILED}:{model_id}:{now:%Y-%m-%d}"
    notices.notify(session, NoticeKind.COMPARISON_FAILED, key, model.queue.leads_channel, None, values, now)


def say_progress(session: Session, run: TrainingRun, step: Coded, now: datetime) -> None:
    """Show this step on the run's card in the leads' channel. step: of `RunStep`."""
    run.progress, run.progress_values = step.code, dict(step.values)
    run_changed(session, run.id, now, urgent=run.state is RunState.DONE)
