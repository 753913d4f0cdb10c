"""A training run, from snapshot to candidate, in several transactions of its own.

Computation happens outside any transaction, on plain data, by `execute`: a worker passes one that uses a child process.
A run that was killed at any line is resumed by its job with the same snapshot, so the same rows and seed give the same
model.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import jobs
from core.errors import DatabaseUnavailable, ModelUnavailable, Refusal
from core.learning.data.erased_rows import erased_rows
from core.learning.data.golden import Golden, closed_golden_set
from core.learning.data.graduation import Graduate, graduates
from core.learning.data.leakage import check_apart, exclude_near_duplicates, proven
from core.learning.data.snapshots import ErasedMeanwhileError, Row, gather, snapshot_rows, store
from core.learning.data.synthetic import within_shares, written_rows
from core.learning.learners.artifacts import pack
from core.learning.learners.base import Progress
from core.learning.learners.external import Connect, ExternalLearner, unconnected
from core.learning.learners.fingerprints import fingerprint
from core.learning.learners.fitting import PackedModel, fit_and_pack, require_readable
from core.learning.learners.own_encoder import with_own_encoder
from core.learning.learners.stored_model import StoredModel
from core.learning.lifecycle.candidates import measure, store_candidate
from core.learning.lifecycle.hand_outs import (
    answered_model,
    hand_out,
    is_away_too_long,
    refuse_if_erased,
    wait_for_answers,
)
from core.learning.lifecycle.held_out import right_rows
from core.learning.lifecycle.label_suspects import SUSPECTS
from core.learning.lifecycle.presenting import model_changed
from core.learning.lifecycle.runs import fail_run, locked_run, say_progress
from core.learning.lifecycle.weighing import choose_weight, weighed
from core.policy import Policy, QueuePolicy
from core.records.learning import GoldenExample, Live, ModelVersion, TrainingRun
from core.records.queues import Queue
from core.storage.database import LONG, PATIENT, Database
from core.vocabulary import Coded, ModelState, RunProblem, RunState, RunStep, WeightChoice

Clock = Callable[[], datetime]
MOST_FITS = 3  # fits per run: a further one if rows were erased during the previous one
Weigh = Callable[[TrainingRun, list[Row]], bool]


def train(
    database: Database,
    claimed: jobs.Claim,
    clock: Clock,
    policy: Policy,
    execute: jobs.Execute = jobs.execute_here,
    extra_learners: Mapping[str, str] = {},
    connect: Connect = unconnected,
) -> None:
    """Carry out a training run, from its snapshot to a candidate that waits for a lead.

    1. Rows. `execute` looks for near-duplicates of golden examples, which are left out. The weight of the rows that
       correct the model is chosen; where a sweep is due, `execute` runs it. A transaction stores the weight, and
       another one the snapshot. An earlier attempt's weight and snapshot are used again.
    2. Model. Outside any transaction, `execute` fits and packs it. With the learner `external`, the snapshot is handed
       out to a service instead, and the job is put back until the service has answered or its time is over
       (core/learning/lifecycle/hand_outs.py).
    3. Candidate. `execute` opens the packed model and compares it with the live one. A transaction stores model,
       artefact and evaluation, supersedes a pending candidate, asks for the card and finishes the job: all or nothing.

    If the live model changes during 3, the two are compared again. If a training row is erased during 2 or 3, a
    snapshot without it replaces the run's and the model is fitted again; after three fits the run fails. A Refusal, as
    when there is nothing to learn, ends the run as failed, with its sentence. Raises LostLease if another worker has
    taken over, and ModelUnavailable if a service that has to predict in 3 does not answer: the job is to be tried
    again.

    extra_learners: see core/learning/learners/registry.py. connect: how models of a service are asked.
    """
    run_id = claimed.payload["run_id"]
    with database.reading(wait=PATIENT) as session:
        run = session.get_one(TrainingRun, run_id)
        queue = policy.queue(run.queue.name)
    extra_learners = with_own_encoder(queue, extra_learners)
    try:
        report = _reporter(database, run.id, clock)
        if queue.trains_elsewhere and _waits_for_service(database, claimed, clock):
            return
        weigh = partial(_weigh, database, clock, queue, execute, report, extra_learners)
        for _fit in range(MOST_FITS):
            with suppress(ErasedMeanwhileError):  # nothing is stored of a model fitted on erased rows: fit without them
                rows = _rows_of(database, run, clock, queue, weigh, execute)
                if queue.trains_elsewhere:
                    made = _model_of_service(database, claimed, run, rows, clock, queue)
                else:
                    made = _fitted_here(run, rows, queue, extra_learners, execute, report)
                if made is not None:
                    _store(database, claimed, run, made, rows, clock, queue, extra_learners, connect, execute)
                return
        _fail(database, claimed, Coded(RunProblem.ROWS_ERASED, {"fits": MOST_FITS}), clock)
    except DatabaseUnavailable:
        raise  # a Refusal too, but no fault of the run: its job is tried again
    except ModelUnavailable as away:
        if not _note_service_away(database, claimed, away, clock, queue):
            raise  # the service may answer later: the job is tried again
    except Refusal as refusal:
        _fail(database, claimed, Coded(RunProblem.REFUSED, {"sentence": str(refusal)}), clock)


def _waits_for_service(database: Database, claimed: jobs.Claim, clock: Clock) -> bool:
    with database.transaction(wait=PATIENT) as session:
        return wait_for_answers(session, claimed, clock())


def _note_service_away(
    database: Database, claimed: jobs.Claim, away: ModelUnavailable, clock: Clock, policy: QueuePolicy
) -> bool:
    """The service of a model that has to predict does not answer: show it on the run's card. Once the service has been
    away for as long as it has to train, fail the run instead, and return True."""
    run_id = claimed.payload["run_id"]
    with database.transaction(wait=PATIENT) as session:
        if too_long := is_away_too_long(session, run_id, clock(), policy):
            fail_run(session, run_id, Coded(RunProblem.REFUSED, {"sentence": str(away)}), clock())
            jobs.finish(session, claimed)
        else:
            step = Coded(RunStep.SERVICE_AWAY, {"sentence": str(away)})
            say_progress(session, locked_run(session, run_id), step, clock())
    return too_long


def _fitted_here(
    run: TrainingRun,
    rows: list[Row],
    policy: QueuePolicy,
    extra_learners: Mapping[str, str],
    execute: jobs.Execute,
    report: Progress,
) -> PackedModel:
    examples = [row.example for row in rows]
    return execute(fit_and_pack, policy.retraining.learner, extra_learners, examples, run.seed, report=report)


def _model_of_service(
    database: Database, claimed: jobs.Claim, run: TrainingRun, rows: list[Row], clock: Clock, policy: QueuePolicy
) -> PackedModel | None:
    """The model that the service has trained. None: it has not trained one yet, and the snapshot is handed out now.
    Raises Refusal if the service has learned from rows that were erased since."""
    require_readable(ExternalLearner(), [row.example for row in rows])
    with database.transaction(wait=PATIENT) as session:
        model = answered_model(session, run.id)
        refuse_if_erased(session, run.snapshot_id or 0)
        if model is None:
            hand_out(session, claimed, clock(), policy)
    return PackedModel(pack(ExternalLearner(), model), fingerprint(model)) if model else None


def _fail(database: Database, claimed: jobs.Claim, problem: Coded, clock: Clock) -> None:
    with database.transaction(wait=PATIENT) as session:
        fail_run(session, claimed.payload["run_id"], problem, clock())
        jobs.finish(session, claimed)


def evaluate_again(
    database: Database, claimed: jobs.Claim, clock: Clock, policy: Policy, extra_learners: Mapping[str, str] = {},
    connect: Connect = unconnected, execute: jobs.Execute = jobs.execute_here,
) -> None:  # fmt: skip
    """Compare a waiting candidate with the new live model, unless leads have decided on the candidate meanwhile. A
    comparison with the same live model that is stored already is used again."""
    model_id = claimed.payload["model_id"]
    with database.reading(wait=LONG, large=True) as session:
        model = session.get_one(ModelVersion, model_id)
        run = session.get_one(TrainingRun, model.run_id)
        rows = snapshot_rows(session, run.snapshot_id or 0)
        queue = policy.queue(run.queue.name)
    while True:
        measured = measure(database, run, None, model_id, rows, queue, extra_learners, connect=connect, execute=execute)
        with database.transaction(wait=PATIENT) as session:
            live = session.get_one(Live, run.queue_id, with_for_update=True)
            if live.changes != measured.live_changes:
                continue
            model = session.get_one(ModelVersion, model_id)
            if model.state is ModelState.CANDIDATE:
                measured.store(session, model.id, clock(), queue)
                model_changed(session, model.id, clock())
            jobs.finish(session, claimed)
            return


def _rows_of(
    database: Database, run: TrainingRun, clock: Clock, policy: QueuePolicy, weigh: Weigh, execute: jobs.Execute
) -> list[Row]:
    """The rows of the run's snapshot, which is stored here. An earlier attempt's snapshot is used again unless rows of
    it have been erased since; so is an earlier attempt's weight.

    Which past errors graduate is decided before the rows are gathered, and again with the Live row locked when they are
    stored: if the decision differs, rows are gathered again. They are also gathered again after a sweep, which takes
    long."""
    while True:
        with database.reading(wait=LONG, large=True) as session:
            if run.snapshot_id is not None and not erased_rows(session, run.snapshot_id)[0]:
                return snapshot_rows(session, run.snapshot_id)
            graduating = graduates(session, run.queue_id, policy.golden)
            gathered = gather(session, run.queue_id, policy, [one.id for one in graduating])
            gathered += written_rows(session, run.queue_id, policy)
            checked_before = proven(session, run.queue_id, policy)
        with database.transaction(wait=PATIENT, large=True) as session:
            golden = _staying(closed_golden_set(session, run.queue_id), graduating)
        distinct = exclude_near_duplicates(gathered, golden, policy, execute)
        rows = within_shares(distinct)
        if not run.weighing and weigh(run, rows):
            continue
        rows = weighed(rows, Coded(run.weighing, run.weighing_values))
        check_apart(rows, golden, checked_before, policy, execute)
        with database.transaction(wait=PATIENT, large=True) as session:
            session.get_one(Live, run.queue_id, with_for_update=True)
            if graduates(session, run.queue_id, policy.golden, lock=True) != graduating:
                continue
            stored = locked_run(session, run.id)
            if stored.snapshot_id != run.snapshot_id:  # a worker that took the job over was quicker
                run.snapshot_id = stored.snapshot_id
                continue
            run.snapshot_id = _snapshot(session, stored, gathered, distinct, rows, golden, graduating, clock, policy)
        return rows


def _snapshot(
    session: Session,
    run: TrainingRun,
    gathered: list[Row],
    distinct: list[Row],
    rows: list[Row],
    golden: list[Golden],
    graduating: Sequence[Graduate],
    clock: Clock,
    policy: QueuePolicy,
) -> int:
    """Store the run's snapshot and return its id. It replaces a former one some of whose rows have been erased; the
    examples that graduated with that one graduate with this one.

    gathered: all rows that may train; distinct: those of them that are not near a golden example; rows: those of the
    latter that train."""
    left_out = len(gathered) - len(distinct)
    graduates_left_out = sum(row.graduate for row in gathered) - sum(row.graduate for row in distinct)
    former = select(GoldenExample.id).where(GoldenExample.graduated_in == (run.snapshot_id or 0))
    ids = [*(one.id for one in graduating), *session.scalars(former)]
    snapshot = store(session, run.queue_id, rows, left_out, golden, clock(), policy, ids, graduates_left_out)
    run.snapshot_id, run.state = snapshot.id, RunState.RUNNING
    say_progress(session, run, Coded(RunStep.SNAPSHOT_TAKEN, {"rows": len(rows)}), clock())
    return snapshot.id


def _staying(golden: Sequence[Golden], graduating: Sequence[Graduate]) -> list[Golden]:
    ids = {one.id for one in graduating}
    return [one for one in golden if one.id not in ids]


def _weigh(
    database: Database, clock: Clock, policy: QueuePolicy, execute: jobs.Execute, report: Progress,
    extra_learners: Mapping[str, str], run: TrainingRun, rows: list[Row],
) -> bool:  # fmt: skip
    """Choose the weight of the rows that correct the model, and store the choice. Returns whether a sweep measured
    it."""
    choice = choose_weight(database, run, rows, policy.retraining, execute, report, extra_learners)
    with database.transaction(wait=PATIENT) as session:
        stored = locked_run(session, run.id)
        if not stored.weighing:  # otherwise a worker that took the job over was quicker
            stored.weighing, stored.weighing_values = choice.code, dict(choice.values)
        run.weighing, run.weighing_values = stored.weighing, stored.weighing_values
    return choice.code == WeightChoice.MEASURED


def _store(
    database: Database,
    claimed: jobs.Claim,
    run: TrainingRun,
    made: PackedModel,
    rows: list[Row],
    clock: Clock,
    policy: QueuePolicy,
    extra_learners: Mapping[str, str],
    connect: Connect,
    execute: jobs.Execute,
) -> None:
    """Compare the model with the live one and store it as a candidate, with the end of the run and of its job."""
    learner, right = policy.retraining.learner, right_rows(rows, made.held_out)
    stored_model = StoredModel(made.packed, learner, extra_learners)
    while True:
        measured = measure(database, run, stored_model, None, rows, policy, extra_learners, right, connect, execute)
        with database.transaction(wait=PATIENT, large=True) as session:
            _check_not_erased(session, run)
            live = session.get_one(Live, run.queue_id, with_for_update=True)
            if live.changes != measured.live_changes:
                continue  # promoted or rolled back while we compared: compare with what is live now
            jobs.finish(session, claimed)  # first: who lost the job must not get as far as storing a second model
            store_candidate(
                session, run, learner, made.fingerprint, made.packed, measured, clock(), policy, rows, right
            )
            _finish_run(session, locked_run(session, run.id), clock(), policy)
            return


def _finish_run(session: Session, run: TrainingRun, now: datetime, policy: QueuePolicy) -> None:
    """The run is done. Where the policy has second looks, the search for suspect labels follows."""
    run.state, run.finished_at = RunState.DONE, now
    say_progress(session, run, Coded(RunStep.DONE), now)
    if policy.golden.second_looks and not policy.trains_elsewhere:  # the search fits models on this machine
        mutex = f"{SUSPECTS}:{run.queue_id}"
        jobs.enqueue(session, SUSPECTS, f"{SUSPECTS}:{run.id}", {"run_id": run.id}, now, mutex, priority=1)


def _check_not_erased(session: Session, run: TrainingRun) -> None:
    """Raise ErasedMeanwhileError if some of the rows have been erased since they were read.

    Locks the queue's row (shared), as an erasure does (exclusively): waits for an erasure that is under way, and the
    next one begins only when the model is stored, so it finds the model and names it."""
    session.get_one(Queue, run.queue_id, with_for_update={"read": True})
    if erased_rows(session, run.snapshot_id or 0)[0]:
        raise ErasedMeanwhileError("training rows have been erased since they were read")


def _reporter(database: Database, run_id: int, clock: Clock) -> Progress:
    """A function that stores the progress of the fit. While the database is unavailable, the fit goes on."""

    def report(step: Coded) -> None:
        with suppress(DatabaseUnavailable), database.transaction(wait=PATIENT) as session:
            say_progress(session, locked_run(session, run_id), step, clock())

    return report
