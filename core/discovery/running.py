"""The driver of a scan, from the list of shards to the finds. It opens transactions of its own, as a training run does.

Reading and ranking happen in an engine, outside of any transaction. If a driver is killed at any line, the next one
does the shards that are left, and the same texts are found."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import jobs
from core.discovery.domain import Domain, fit_domain, sample_texts
from core.discovery.driving import Clock, Driver, Hear, ScanOver, Watch
from core.discovery.engines import Engine
from core.discovery.ranking import Ranker, opened_model, require_known
from core.discovery.scans import (
    begin,
    fail_scan,
    finish_scan,
    is_over,
    shards_left,
    tops,
    unread_problems,
)
from core.discovery.scoring import Task, known_digits
from core.discovery.selection import FRONT, digest_of, merged, select_finds
from core.discovery.sources import Columns, Shard, shards_of
from core.errors import DatabaseUnavailable, Invalid, Refusal
from core.learning.data.golden import golden_set
from core.learning.data.snapshots import snapshot_rows
from core.learning.learners.artifacts import Packed
from core.learning.learners.own_encoder import with_own_encoder
from core.learning.learners.text import TextModel
from core.policy import Policy, QueuePolicy
from core.policy.external import EXTERNAL
from core.records.discovery import Find, Scan, ScanShard
from core.records.learning import Artifact, GoldenExample, ModelVersion, SeedExample, TrainingRun
from core.records.predictions import Prediction
from core.storage.database import LONG, PATIENT, Database
from core.vocabulary import Coded, Modality, RunProblem, ScanState

SEED = 1
PAGE = 10_000  # content hashes read at a time

ChooseEngine = Callable[[Scan, list[Shard]], Engine]


@dataclass(frozen=True)
class _Facts:
    """The facts about the queue that a scan needs."""

    scan: Scan
    packed: Packed
    learner: str
    training: list[str]
    golden: list[str]
    known: list[str]


def run_scan(
    database: Database,
    claimed: jobs.Claim,
    clock: Clock,
    policy: Policy,
    engine: ChooseEngine,
    execute: jobs.Execute = jobs.execute_here,
    extra_learners: Mapping[str, str] = {},
    hear: Hear = lambda _progress: None,
    check: jobs.Check = jobs.unchecked,
) -> None:
    """Run a scan, from its shards to its finds.

    1. `execute` lists the shards, and a transaction stores them, unless an earlier attempt has stored them. 2. Outside
    of any transaction, `execute` fits the domain classifier and the engine scores the shards that are left; each result
    is stored in a short transaction. 3. `execute` selects the finds. 4. A transaction stores them, deletes all other
    texts and finishes the job: all or nothing. If the scan was cancelled, which is checked each second in every step,
    the job is finished and nothing is stored. A Refusal ends the scan as failed, with its sentence. hear: called with
    the progress; check: called now and then, raises to end the work. Raises LostLease if another worker has taken
    over."""
    scan_id = claimed.payload["scan_id"]
    watch = Watch(database, scan_id, check)
    try:
        _begin(database, scan_id, clock, execute, watch)
        facts, queue = _facts(database, scan_id, policy, watch)
        installed = with_own_encoder(queue, extra_learners)
        _work(database, claimed, facts, queue, clock, engine, execute, installed, hear, watch)
    except ScanOver:
        with database.transaction(wait=PATIENT) as session:
            jobs.finish(session, claimed)
    except DatabaseUnavailable:
        raise  # no fault of the scan: its job is tried again
    except Refusal as refusal:
        with database.transaction(wait=PATIENT) as session:
            fail_scan(session, scan_id, Coded(RunProblem.REFUSED, {"sentence": str(refusal)}), clock())
            jobs.finish(session, claimed)


def _begin(database: Database, scan_id: int, clock: Clock, execute: jobs.Execute, watch: Watch) -> None:
    with database.reading(wait=PATIENT) as session:
        scan = session.get_one(Scan, scan_id)
    if scan.state is ScanState.REQUESTED:
        shards = execute(listed_shards, scan.source, report=jobs.unheard, check=watch)
        with database.transaction(wait=PATIENT) as session:
            begin(session, scan_id, shards, clock())


def listed_shards(source: str, _report: jobs.Report) -> list[Shard]:
    return shards_of(source)


def _facts(database: Database, scan_id: int, policy: Policy, watch: Watch) -> tuple[_Facts, QueuePolicy]:
    with database.reading(wait=LONG, large=True) as session:
        scan = session.get_one(Scan, scan_id)
        if scan.state is not ScanState.RUNNING:
            raise ScanOver
        model, artifact = session.get_one(ModelVersion, scan.model_id), session.get_one(Artifact, scan.model_id)
        if artifact.purged_at is not None:
            raise Refusal(f"{model.name} was deleted because it was trained on text that was erased. Scan again.")
        if model.learner == EXTERNAL:
            raise Refusal(
                f"{model.name} runs in a service, and scans need a model that runs here. Nothing was scanned."
            )
        run = session.get_one(TrainingRun, model.run_id)
        rows = snapshot_rows(session, run.snapshot_id or 0)
        return _Facts(
            scan,
            Packed(artifact.content, artifact.sha256, artifact.runtime),
            model.learner,
            [row.input.text for row in rows if row.input.has(Modality.TEXT)],
            [one.input.text for one in golden_set(session, scan.queue_id) if one.input.has(Modality.TEXT)],
            list(_known(session, scan.queue_id, watch)),
        ), policy.queue(scan.queue.name)


def _known(session: Session, queue_id: int, watch: Watch) -> Iterator[str]:
    for record in (Prediction, SeedExample, GoldenExample, Find):
        found = select(record.content_hash).where(record.queue_id == queue_id)
        for page in session.scalars(found.execution_options(yield_per=PAGE)).partitions():
            watch()
            yield from page


def _work(
    database: Database, claimed: jobs.Claim, facts: _Facts, queue: QueuePolicy, clock: Clock, engine: ChooseEngine,
    execute: jobs.Execute, extra_learners: Mapping[str, str], hear: Hear, watch: Watch,
) -> None:  # fmt: skip
    scan, most = facts.scan, FRONT * facts.scan.wanted
    columns = Columns(scan.text_column, scan.id_column)
    with database.reading(wait=PATIENT) as session:
        left, every = shards_left(session, scan.id), _every_shard(session, scan.id)
        front = merged(tops(session, scan.id), most)
        if is_over(session, scan.id):  # the scan was cancelled meanwhile, so its shards are gone
            raise ScanOver
    domain = execute(
        domain_of, facts.packed, facts.learner, extra_learners, facts.training, every, columns, queue, scan.label,
        report=jobs.unheard, check=watch,
    )  # fmt: skip
    ranker = Ranker(
        facts.packed, facts.learner, queue.label_names, scan.label, scan.foreign, domain, dict(extra_learners)
    )
    task = Task(ranker, columns, queue.privacy, known_digits(facts.known), most)
    if left:
        driver = Driver(database, scan.id, most, front, clock, hear, watch)
        driver.drive(engine(scan, left)(task, left))
    with database.reading(wait=PATIENT) as session:
        front, problems = merged(tops(session, scan.id), most), unread_problems(session, scan.id)
    if len(problems) == len(every):
        raise Invalid(problems[0])
    selected = execute(
        select_finds, front, facts.golden, ranker, queue, scan.wanted, SEED, report=jobs.unheard, check=watch
    )
    with database.transaction(wait=PATIENT) as session:
        finish_scan(session, scan.id, selected, digest_of(front), clock())
        jobs.finish(session, claimed)


def domain_of(
    packed: Packed, learner: str, extra_learners: Mapping[str, str], training: list[str], shards: list[Shard],
    columns: Columns, queue: QueuePolicy, label: str | None, _report: jobs.Report,
) -> Domain | None:  # fmt: skip
    fitted = opened_model(packed, learner, extra_learners)
    require_known(label, fitted)
    ngrams = fitted.ngrams if isinstance(fitted, TextModel) else None
    return fit_domain(ngrams, training, sample_texts(shards, columns, SEED), queue.discovery.keep, SEED)


def _every_shard(session: Session, scan_id: int) -> list[Shard]:
    found = select(ScanShard).where(ScanShard.scan_id == scan_id).order_by(ScanShard.position)
    return [Shard(row.position, row.address, row.kind, row.first, row.last, row.size) for row in session.scalars(found)]
