"""A training run, from snapshot to candidate. The one process of the core with transactions of its own.

What computes happens outside any transaction, in the executor, on plain data: a worker has a child process for it. A
run that was killed at any line is resumed by its job with the same snapshot, so the same rows and seed give the same
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
MOST_FITS = 3  # of one run; each further one because rows were erased while the last one went on
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
    """One training run, from snapshot to a candidate that waits for a lead.

    1. `execute` looks for near-duplicates of golden examples, which are left out. The weight of the rows that correct
       the model is chosen; where a sweep is due, `execute` runs it. A transaction stores the choice, and another the
       snapshot (or finds those of an earlier attempt). 2. Without a transaction, `execute` fits and packs, then it
       opens the packed model and compares it with the live one. 3. A transaction stores model, artefact and evaluation,
       supersedes a pending candidate, asks for the card and finishes the job: all or nothing. If the live model changed
       meanwhile, 2 compares again. If a row was erased meanwhile, a snapshot without it takes the place of the run's
       and 2 fits again, three times at most, then the run fails. Raises LostLease if another worker has taken over. A
       Refusal (nothing to learn) ends the run as failed, with its sentence.
       extra_learners: see core/learning/learners/registry.py.

    With the learner `external`, 2 hands the snapshot out to a service and puts the job back until the service has
    answered or its time is over (core/learning/lifecycle/hand_outs.py). connect: how models of a service are asked; if
    that does not answer while the candidate is compared, ModelUnavailable is raised: the job is to be tried again.
    """
    run_id = claimed.payload["run_id"]
    with database.reading(wait=PATIENT) as session:
        run = session.get_one(TrainingRun, run_id)
        queue = policy.queue(run.queue.name)
    extra_learners = with_own_encoder(queue, extra_learners)
    try:
        report = _reporter(database, run.id, clock)
        if queue.trains_elsewhere and _waits(database, claimed, clock):
            return
        weigh = partial(_weigh, database, clock, queue, execute, report, extra_learners)
        for _fit in range(MOST_FITS):
            with suppress(ErasedMeanwhileError):  # nothing was stored of what was fitted on them: fit anew without them
                rows = _rows_of(database, run, clock, queue, weigh, execute)
                if queue.trains_elsewhere:
                    require_readable(ExternalLearner(), [row.example for row in rows])
                    made = _answered(database, claimed, run, clock, queue)
                else:
                    examples = [row.example for row in rows]
                    made = execute(
                        fit_and_pack, queue.retraining.learner, extra_learners, examples, run.seed, report=report
                    )
                if made is not None:
                    _store(database, claimed, run, made, rows, clock, queue, extra_learners, connect, execute)
                return
        _give_up(database, claimed, Coded(RunProblem.ROWS_ERASED, {"fits": MOST_FITS}), clock)
    except DatabaseUnavailable:
        raise  # the database is away, which says nothing about the run: its job is tried again
    except ModelUnavailable as away:
        if not _is_given_up(database, claimed, away, clock, queue):
            raise  # nor does a service that is away for a while
    except Refusal as refusal:
        _give_up(database, claimed, Coded(RunProblem.REFUSED, {"sentence": str(refusal)}), clock)


def _waits(database: Database, claimed: jobs.Claim, clock: Clock) -> bool:
    with database.transaction(wait=PATIENT) as session:
        return wait_for_answers(session, claimed, clock())


def _is_given_up(
    database: Database, claimed: jobs.Claim, away: ModelUnavailable, clock: Clock, policy: QueuePolicy
) -> bool:
    """The service that has to predict is away: the run's card says so, or the run ends with the sentence."""
    run_id = claimed.payload["run_id"]
    with database.transaction(wait=PATIENT) as session:
        if too_long := is_away_too_long(session, run_id, clock(), policy):
            fail_run(session, run_id, Coded(RunProblem.REFUSED, {"sentence": str(away)}), clock())
            jobs.finish(session, claimed)
        else:
            step = Coded(RunStep.SERVICE_AWAY, {"sentence": str(away)})
            say_progress(session, locked_run(session, run_id), step, clock())
    return too_long


def _answered(
    database: Database, claimed: jobs.Claim, run: TrainingRun, clock: Clock, policy: QueuePolicy
) -> PackedModel | None:
    """The model of the service; None: the snapshot is handed out now. Raises Refusal if the service has learned from
    rows that were erased since."""
    with database.transaction(wait=PATIENT) as session:
        model = answered_model(session, run.id)
        refuse_if_erased(session, run.snapshot_id or 0)
        if model is None:
            hand_out(session, claimed, clock(), policy)
    return PackedModel(pack(ExternalLearner(), model), fingerprint(model)) if model else None


def _give_up(database: Database, claimed: jobs.Claim, problem: Coded, clock: Clock) -> None:
    with database.transaction(wait=PATIENT) as session:
        fail_run(session, claimed.payload["run_id"], problem, clock())
        jobs.finish(session, claimed)


def evaluate_again(
    database: Database, claimed: jobs.Claim, clock: Clock, policy: Policy, extra_learners: Mapping[str, str] = {},
    connect: Connect = unconnected, execute: jobs.Execute = jobs.execute_here,
) -> None:  # fmt: skip
    """The live model changed while a candidate waited: compare the two, unless it was decided meanwhile. A comparison
    with the same live model that is stored already is used again."""
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
    """The snapshot's rows; an earlier attempt's snapshot is used again unless rows of it have been erased since, and so
    is the weight that it had chosen. Which past errors graduate into it is decided with the Live row locked; if the
    decision changed meanwhile, rows are gathered again. They are also gathered again after a sweep, which takes
    long."""
    while True:
        with database.reading(wait=LONG, large=True) as session:
            if run.snapshot_id is not None and not erased_rows(session, run.snapshot_id)[0]:
                return snapshot_rows(session, run.snapshot_id)
            leaving = graduates(session, run.queue_id, policy.golden)
            gathered = gather(session, run.queue_id, policy, [one.id for one in leaving])
            gathered += written_rows(session, run.queue_id, policy)
            before = proven(session, run.queue_id, policy)
        with database.transaction(wait=PATIENT, large=True) as session:
            golden = _without(leaving, closed_golden_set(session, run.queue_id))
        apart = exclude_near_duplicates(gathered, golden, policy, execute)
        rows = within_shares(apart)
        if not run.weighing and weigh(run, rows):
            continue
        rows = weighed(rows, Coded(run.weighing, run.weighing_values))
        check_apart(rows, golden, before, policy, execute)
        with database.transaction(wait=PATIENT, large=True) as session:
            session.get_one(Live, run.queue_id, with_for_update=True)
            if graduates(session, run.queue_id, policy.golden, lock=True) != leaving:
                continue
            stored = locked_run(session, run.id)
            if stored.snapshot_id != run.snapshot_id:  # a worker that took the job over was quicker
                run.snapshot_id = stored.snapshot_id
                continue
            run.snapshot_id = _snapshot(session, stored, gathered, apart, rows, golden, leaving, clock, policy)
        return rows


def _snapshot(
    session: Session,
    run: TrainingRun,
    gathered: list[Row],
    apart: list[Row],
    rows: list[Row],
    golden: list[Golden],
    leaving: Sequence[Graduate],
    clock: Clock,
    policy: QueuePolicy,
) -> int:
    """gathered: all that may train; apart: those that are not near a golden example; rows: those that train. Takes the
    place of a former snapshot, rows of which have been erased; what graduated there graduates here."""
    left_out = len(gathered) - len(apart)
    graduates_left_out = sum(row.graduate for row in gathered) - sum(row.graduate for row in apart)
    former = select(GoldenExample.id).where(GoldenExample.graduated_in == (run.snapshot_id or 0))
    ids = [*(one.id for one in leaving), *session.scalars(former)]
    snapshot = store(session, run.queue_id, rows, left_out, golden, clock(), policy, ids, graduates_left_out)
    run.snapshot_id, run.state = snapshot.id, RunState.RUNNING
    say_progress(session, run, Coded(RunStep.SNAPSHOT_TAKEN, {"rows": len(rows)}), clock())
    return snapshot.id


def _without(leaving: Sequence[Graduate], golden: Sequence[Golden]) -> list[Golden]:
    ids = {one.id for one in leaving}
    return [one for one in golden if one.id not in ids]


def _weigh(
    database: Database, clock: Clock, policy: QueuePolicy, execute: jobs.Execute, report: Progress,
    extra_learners: Mapping[str, str], run: TrainingRun, rows: list[Row],
) -> bool:  # fmt: skip
    """Choose the weight of the rows that correct the model, and store the choice. True: a sweep measured it."""
    choice = choose_weight(database, run, rows, policy.retraining, execute, report, extra_learners)
    with database.transaction(wait=PATIENT) as session:
        stored = locked_run(session, run.id)
        if not stored.weighing:  # else a worker that took the job over was quicker
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
            stored = locked_run(session, run.id)
            stored.state, stored.finished_at = RunState.DONE, clock()
            say_progress(session, stored, Coded(RunStep.DONE), clock())
            if policy.golden.second_looks and not policy.trains_elsewhere:  # that fits models here
                mutex = f"{SUSPECTS}:{run.queue_id}"
                jobs.enqueue(session, SUSPECTS, f"{SUSPECTS}:{run.id}", {"run_id": run.id}, clock(), mutex, priority=1)
            return


def _check_not_erased(session: Session, run: TrainingRun) -> None:
    """Raises ErasedMeanwhileError if some of the rows have been erased since they were read. Waits for an erasure that
    is under way, which holds the queue's row, and keeps the next one out until the model is stored: that one finds the
    model, and names it."""
    session.get_one(Queue, run.queue_id, with_for_update={"read": True})
    if erased_rows(session, run.snapshot_id or 0)[0]:
        raise ErasedMeanwhileError("training rows have been erased since they were read")


def _reporter(database: Database, run_id: int, clock: Clock) -> Progress:
    """Store the progress of the fit. If that fails, the fit goes on."""

    def report(step: Coded) -> None:
        with suppress(DatabaseUnavailable), database.transaction(wait=PATIENT) as session:
            say_progress(session, locked_run(session, run_id), step, clock())

    return report
