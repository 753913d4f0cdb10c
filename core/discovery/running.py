"""The driver of a scan, from the list of shards to the finds. It opens transactions of its own, as a training run does.

Reading and ranking happen in an engine, outside of any transaction. If a driver is killed at any line, the next one
does the shards that are left, and the same texts are found."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import jobs
from core.discovery.domain import Domain, fit_domain, sample_texts
from core.discovery.engines import Engine
from core.discovery.ranking import Ranker
from core.discovery.results import Found, Reading, Result, Scored
from core.discovery.scans import (
    begin,
    fail_scan,
    finish_scan,
    is_running,
    note_progress,
    shards_left,
    store_result,
    tops,
    unread_problems,
)
from core.discovery.scoring import Task, known_digits
from core.discovery.selection import FRONT, digest_of, merged, select_finds
from core.discovery.sources import Columns, Shard, shards_of
from core.errors import DatabaseUnavailable, Invalid, Refusal
from core.learning.data.golden import golden_set
from core.learning.data.snapshots import snapshot_rows
from core.learning.learners.artifacts import Packed, unpack
from core.learning.learners.registry import find_learner
from core.learning.learners.text import TextModel
from core.policy import Policy, QueuePolicy
from core.policy.external import EXTERNAL
from core.records.discovery import Find, Scan, ScanShard
from core.records.learning import Artifact, GoldenExample, ModelVersion, SeedExample, TrainingRun
from core.records.predictions import Prediction
from core.storage.database import LONG, PATIENT, Database
from core.vocabulary import Coded, Modality, RunProblem, ScanState

Clock = Callable[[], datetime]
SHOW_SECONDS = 5.0  # between two redraws of the scan's card
LOOK_SECONDS = 1.0  # between two checks whether it was cancelled
SEED = 1
PAGE = 10_000  # content hashes read at a time


@dataclass(frozen=True)
class Progress:
    """The progress of a scan. done, total: in bytes; rows: those read up to now; seconds: since this driver began."""

    done: int
    total: int
    rows: int
    seconds: float


Hear = Callable[[Progress], None]
ChooseEngine = Callable[[Scan, list[Shard]], Engine]


class ScanOver(Exception):  # noqa: N818 - a fact: it was cancelled while it was worked on
    """The scan was cancelled, or finished by another driver."""


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
    check: Callable[[], None] = lambda: None,
) -> None:
    """Run a scan, from its shards to its finds.

    1. The shards are listed and stored in a transaction, unless an earlier attempt has stored them. 2. Outside of any
    transaction, `execute` fits the domain classifier and the engine scores the shards that are left; each result is
    stored in a short transaction. 3. `execute` selects the finds. 4. A transaction stores them, deletes all other texts
    and finishes the job: all or nothing. If the scan was cancelled, the job is finished and nothing is stored. A
    Refusal ends the scan as failed, with its sentence. hear: called with the progress; check: called now and then,
    raises to end the work. Raises LostLease if another worker has taken over."""
    scan_id = claimed.payload["scan_id"]
    try:
        _begin(database, scan_id, clock)
        facts, queue = _facts(database, scan_id, policy)
        _work(database, claimed, facts, queue, clock, engine, execute, extra_learners, hear, check)
    except ScanOver:
        with database.transaction(wait=PATIENT) as session:
            jobs.finish(session, claimed)
    except DatabaseUnavailable:
        raise  # which says nothing about the scan: its job is tried again
    except Refusal as refusal:
        with database.transaction(wait=PATIENT) as session:
            fail_scan(session, scan_id, Coded(RunProblem.REFUSED, {"sentence": str(refusal)}), clock())
            jobs.finish(session, claimed)


def _begin(database: Database, scan_id: int, clock: Clock) -> None:
    with database.reading(wait=PATIENT) as session:
        scan = session.get_one(Scan, scan_id)
    if scan.state is ScanState.REQUESTED:
        shards = shards_of(scan.source)
        with database.transaction(wait=PATIENT) as session:
            begin(session, scan_id, shards, clock())


def _facts(database: Database, scan_id: int, policy: Policy) -> tuple[_Facts, QueuePolicy]:
    with database.reading(wait=LONG) as session:
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
            list(_known(session, scan.queue_id)),
        ), policy.queue(scan.queue.name)


def _known(session: Session, queue_id: int) -> Iterator[str]:
    for record in (Prediction, SeedExample, GoldenExample, Find):
        found = select(record.content_hash).where(record.queue_id == queue_id)
        yield from session.scalars(found.execution_options(yield_per=PAGE))


def _work(
    database: Database, claimed: jobs.Claim, facts: _Facts, queue: QueuePolicy, clock: Clock, engine: ChooseEngine,
    execute: jobs.Execute, extra_learners: Mapping[str, str], hear: Hear, check: Callable[[], None],
) -> None:  # fmt: skip
    scan, most = facts.scan, FRONT * facts.scan.wanted
    columns = Columns(scan.text_column, scan.id_column)
    with database.reading(wait=PATIENT) as session:
        left, every = shards_left(session, scan.id), _every_shard(session, scan.id)
        front = merged(tops(session, scan.id), most)
    domain = execute(
        domain_of, facts.packed, facts.learner, extra_learners, facts.training, every, columns, queue, report=_unheard
    )
    ranker = Ranker(
        facts.packed, facts.learner, queue.label_names, scan.label, scan.foreign, domain, dict(extra_learners)
    )
    task = Task(ranker, columns, queue.privacy, known_digits(facts.known), most)
    driver = _Driver(database, scan.id, most, front, clock, hear, check)
    if left:
        driver.drive(engine(scan, left)(task, left))
    with database.reading(wait=PATIENT) as session:
        front, problems = merged(tops(session, scan.id), most), unread_problems(session, scan.id)
    if len(problems) == len(every):
        raise Invalid(problems[0])
    selected = execute(select_finds, front, facts.golden, ranker, queue, scan.wanted, SEED, report=_unheard)
    with database.transaction(wait=PATIENT) as session:
        finish_scan(session, scan.id, selected, digest_of(front), clock())
        jobs.finish(session, claimed)


def domain_of(
    packed: Packed, learner: str, extra_learners: Mapping[str, str], training: list[str], shards: list[Shard],
    columns: Columns, queue: QueuePolicy, _report: Callable[[Coded], None],
) -> Domain | None:  # fmt: skip
    fitted = unpack(packed, find_learner(learner, extra_learners))
    ngrams = fitted.ngrams if isinstance(fitted, TextModel) else None
    return fit_domain(ngrams, training, sample_texts(shards, columns, SEED), queue.discovery.keep, SEED)


def _every_shard(session: Session, scan_id: int) -> list[Shard]:
    found = select(ScanShard).where(ScanShard.scan_id == scan_id).order_by(ScanShard.position)
    return [Shard(row.position, row.address, row.kind, row.first, row.last, row.size) for row in session.scalars(found)]


class _Driver:
    """Stores the results of the engine, and now and then checks whether the scan was cancelled and shows its
    progress."""

    def __init__(
        self, database: Database, scan_id: int, most: int, front: list[Found], clock: Clock, hear: Hear,
        check: Callable[[], None],
    ) -> None:  # fmt: skip
        self._database, self._scan_id, self._most, self._front = database, scan_id, most, front
        self._clock, self._hear, self._check = clock, hear, check
        self._began = self._looked = self._shown = time.monotonic()
        self._reading: dict[int, int] = {}
        self._told = Progress(0, 0, 0, 0.0)

    def drive(self, events: Iterator[Reading | Result | None]) -> None:
        """Store the results of an engine until it has no more. Raises ScanOver. The engine is closed in any case."""
        try:
            self._note()
            for event in events:
                if isinstance(event, Reading):
                    self._reading[event.position] = event.rows
                elif event is not None:
                    self._store(event)
                self._look()
            self._note()
        finally:
            events.close()  # type: ignore[attr-defined]

    def _store(self, result: Result) -> None:
        self._reading.pop(result.position, None)
        kept = self._kept(result) if isinstance(result, Scored) else []
        with self._database.transaction(wait=PATIENT) as session:
            if not store_result(session, self._scan_id, result, kept):
                raise ScanOver

    def _kept(self, scored: Scored) -> list[Found]:
        """The texts of this result that are top-ranked among all shards up to now: the others cannot be selected any
        more."""
        self._front = merged([self._front, scored.top], self._most)
        inside = {found.content_hash for found in self._front}
        return [found for found in scored.top if found.content_hash in inside]

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        self._check()
        if now - self._shown >= SHOW_SECONDS:
            self._note()
        else:
            with self._database.reading(wait=PATIENT) as session:
                if not is_running(session, self._scan_id):
                    raise ScanOver
        rows = self._told.rows + sum(self._reading.values())
        self._hear(Progress(self._told.done, self._told.total, rows, now - self._began))

    def _note(self) -> None:
        self._shown = time.monotonic()
        seconds = self._shown - self._began
        with self._database.transaction(wait=PATIENT) as session:
            if not is_running(session, self._scan_id):
                raise ScanOver
            self._told = Progress(**note_progress(session, self._scan_id, seconds, self._clock()))
        self._hear(self._told)


def _unheard(_step: Coded) -> None:
    """A scan shows how much was read, not these steps."""
