"""Runs and candidates on the support desk: really trained, or stored at once where only the decision matters."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import func, select

from core import jobs
from core.jobs import Claim
from core.learning.data.inputs import Example, Input
from core.learning.data.seeds import add_seeds
from core.learning.data.snapshots import gather, store
from core.learning.evaluation.gate import GateVerdict
from core.learning.learners.artifacts import Packed, pack
from core.learning.learners.base import Fitted
from core.learning.learners.fingerprints import fingerprint
from core.learning.learners.text import TextLearner
from core.learning.lifecycle.candidates import measure, store_candidate
from core.learning.lifecycle.decisions import approve
from core.learning.lifecycle.models import live_version
from core.learning.lifecycle.runs import EVALUATE, TRAIN, request_run
from core.learning.lifecycle.training import evaluate_again, train
from core.records.jobs import Job
from core.records.learning import Decision, Live, ModelVersion, TrainingRun
from core.storage.database import PATIENT
from core.vocabulary import Coded, GateBlock, RunState, Trigger
from tests.core.desk import BILLING, DELIVERY, NOW, REFUND, Desk
from tests.people import CLEO

WISHES = (
    ("i want my money back for the", REFUND),
    ("you charged my card twice for the", BILLING),
    ("where is the parcel with my", DELIVERY),
)
THINGS = ("lamp", "chair", "table", "vase", "sofa", "mirror")
SEEDS = tuple((f"{wish} {thing}", label) for thing in THINGS for wish, label in WISHES)
Learned = tuple[Fitted, Packed]
REFUSED = Coded(GateBlock.LABELS_SWAPPED, {"labels": ["refund", "billing error"]})


def seeded(desk: Desk) -> Desk:
    with desk.database.transaction() as session:
        add_seeds(session, SEEDS, NOW, desk.rules)
    return desk


def requested(desk: Desk, trigger: Trigger = Trigger.COMMAND, person: str | None = CLEO) -> int | None:
    with desk.database.transaction(wait=PATIENT) as session:
        return request_run(session, desk.queue(), trigger, person, NOW, desk.rules)


def claimed(desk: Desk, worker: str = "worker", job: str = TRAIN) -> Claim:
    with desk.database.transaction() as session:
        found = jobs.claim(session, job, worker, NOW)
    assert found is not None
    return found


def ticking(start: datetime = NOW) -> Callable[[], datetime]:
    """A clock that advances by a second with each reading."""
    times = (start + timedelta(seconds=second) for second in range(10_000))
    return lambda: next(times)


def trained(desk: Desk) -> TrainingRun:
    """A run from request to candidate, or to its failure."""
    run_id = requested(desk)
    assert run_id is not None
    train(desk.database, claimed(desk), ticking(), desk.policy)
    return run(desk, run_id)


def run(desk: Desk, run_id: int) -> TrainingRun:
    with desk.database.reading() as session:
        return session.get_one(TrainingRun, run_id)


def evaluated_again(desk: Desk) -> None:
    evaluate_again(desk.database, claimed(desk, job=EVALUATE), ticking(), desk.policy)


def waiting_jobs(desk: Desk, name: str) -> int:
    with desk.database.reading() as session:
        found = select(func.count()).select_from(Job).where(Job.name == name, Job.state == "ready")
        return session.scalar(found) or 0


@cache
def fitted(seeds: tuple[tuple[str, str], ...] = SEEDS) -> Learned:
    learner = TextLearner()
    model = learner.fit([Example(Input(text), label) for text, label in seeds], seed=1, progress=lambda _words: None)
    return model, pack(learner, model)


def candidate(desk: Desk, passed: bool = True, now: datetime = NOW, learned: Learned | None = None) -> int:
    """A candidate of a desk with seeds, as a run leaves it, with this verdict of the gate. Takes no time to fit.
    learned: its model, instead of one that was fitted on the seeds."""
    run_id = requested(desk)
    assert run_id is not None
    job = claimed(desk)
    model, packed = learned or fitted()
    with desk.database.transaction() as session:
        row = session.get_one(TrainingRun, run_id)
        rows = gather(session, row.queue_id, desk.rules)
        row.snapshot_id = store(session, row.queue_id, rows, 0, [], now, desk.rules).id
        row.state, row.finished_at = RunState.DONE, now
    verdict = GateVerdict(passed, () if passed else (REFUSED,), ())
    measured = replace(measure(desk.database, row, model, None, rows, desk.rules), verdict=verdict)
    with desk.database.transaction() as session:
        session.get_one(Live, row.queue_id, with_for_update=True)
        model_id = store_candidate(session, row, "text", fingerprint(model), packed, measured, now, desk.rules)
        jobs.finish(session, job)
    return model_id


def promoted(desk: Desk, now: datetime = NOW, learned: Learned | None = None) -> int:
    """A candidate that a lead has approved."""
    model_id = candidate(desk, learned=learned)
    with desk.database.transaction() as session:
        assert approve(session, model_id, CLEO, 1, now, desk.policy)
    return model_id


def model(desk: Desk, model_id: int) -> ModelVersion:
    with desk.database.reading() as session:
        return session.get_one(ModelVersion, model_id)


def live(desk: Desk) -> int | None:
    with desk.database.reading() as session:
        found = live_version(session, desk.queue().id)
        return found.id if found else None


def decisions(desk: Desk, model_id: int) -> list[Decision]:
    with desk.database.reading() as session:
        return list(session.scalars(select(Decision).where(Decision.model_id == model_id).order_by(Decision.id)))
