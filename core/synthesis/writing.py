"""The writing of a batch of texts, from the first call to the sample that people are asked about. It has transactions
of its own.

A call is stored before it is made, and its answer right after. If the process is killed at any line, another one makes
the calls that are left. No call is made twice, and none beyond the caps.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import jobs
from core.errors import DatabaseUnavailable, ModelUnavailable, Refusal
from core.learning.data.golden import golden_set
from core.learning.data.inputs import Input
from core.learning.data.snapshots import gather
from core.learning.learners.artifacts import Packed, unpack
from core.learning.learners.base import Fitted
from core.learning.learners.external import Connect, ExternalLearner, connected, unconnected
from core.learning.learners.own_encoder import with_own_encoder
from core.learning.learners.registry import find_learner
from core.learning.lifecycle.models import live_version
from core.policy import Policy, QueuePolicy
from core.policy.external import EXTERNAL
from core.records.learning import Artifact
from core.records.predictions import Prediction
from core.records.synthetic import SyntheticBatch, SyntheticText
from core.storage.database import LONG, PATIENT, Database
from core.synthesis.batches import BatchOver, fail_batch
from core.synthesis.calls import Ask, begin_call, store_answer, written_texts
from core.synthesis.examples import examples_for
from core.synthesis.guards import Guarded, Known, guarded
from core.synthesis.languages import words_of
from core.synthesis.sampling import finish_batch
from core.text.content_hash import content_hash
from core.vocabulary import BatchProblem, CallProblem, Coded, Guard, Modality

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answered:
    """The answer to a call. body: verbatim; problem: why there is none."""

    body: str
    problem: CallProblem | None = None


class Busy(jobs.WorkFailed):
    """The model's server refused to answer now, so the call has cost nothing."""


Write = Callable[[Ask], Answered]
"""Makes one call. Raises Refusal where the other side will never answer, such as for a wrong key; Busy, or another
jobs.WorkFailed, where it may answer later."""
Hear = Callable[[int, int], None]  # called with (calls made, calls planned)


@dataclass(frozen=True)
class _Facts:
    texts: list[str]
    known: Known
    packed: Packed
    learner: str


def write_batch(
    database: Database,
    claimed: jobs.Claim,
    clock: Callable[[], datetime],
    policy: Policy,
    write: Write,
    execute: jobs.Execute = jobs.execute_here,
    extra_learners: Mapping[str, str] = {},
    hear: Hear = lambda _made, _planned: None,
    check: Callable[[], None] = lambda: None,
    connect: Connect = unconnected,
) -> None:
    """Write a batch.

    1. For each call: a transaction stores what it sends, `write` makes it outside of any transaction, and another
       transaction stores the answer.
    2. `execute` runs the guards, which drop texts that cannot be used.
    3. A transaction stores the texts, opens the items of the sample and finishes the job: all or nothing.

    Returns early, with the job finished, if the batch was withdrawn or erased. A Refusal ends the batch as failed, with
    its sentence. Raises LostLease if another worker has taken over, and WorkFailed, or ModelUnavailable if the live
    model's service does not answer, to be tried again later.

    check: called before each call, raises to end the work. connect: how the guards ask a live model that is a service.
    """
    batch_id = claimed.payload["batch_id"]
    with database.reading(wait=PATIENT) as session:
        queue = policy.queue(session.get_one(SyntheticBatch, batch_id).queue.name)
    try:
        _make_calls(database, batch_id, clock, queue, write, hear, check)
        found = _guarded_texts(database, batch_id, queue, execute, extra_learners, connect)
        _log_leaks(found, batch_id, queue)
        with database.transaction(wait=PATIENT) as session:
            jobs.finish(session, claimed)
            finish_batch(session, batch_id, found, queue, clock())
    except BatchOver:
        with database.transaction(wait=PATIENT) as session:
            jobs.finish(session, claimed)
    except (DatabaseUnavailable, ModelUnavailable):
        raise  # Refusals, but no fault of the batch: its job is tried again, without repeating a call
    except Refusal as refusal:
        with database.transaction(wait=PATIENT) as session:
            jobs.finish(session, claimed)
            fail_batch(session, batch_id, Coded(BatchProblem.SENTENCE, {"sentence": str(refusal)}), clock())


def _guarded_texts(
    database: Database, batch_id: int, queue: QueuePolicy, execute: jobs.Execute, extra_learners: Mapping[str, str],
    connect: Connect,
) -> Guarded:  # fmt: skip
    """The guards' result for the batch's texts. The guards use the live model's predictions."""
    with database.reading(wait=LONG, large=True) as session:
        facts = _facts(session, batch_id, queue)
    if facts.learner == EXTERNAL:  # a service computes the model, and the process of `execute` has no connection to it
        model = connected(unpack(facts.packed, ExternalLearner()), connect(queue))
        return _judged(facts.texts, facts.known, model)
    installed = with_own_encoder(queue, extra_learners)
    return execute(judge_texts, facts.texts, facts.known, facts.packed, facts.learner, installed, report=jobs.unheard)


def judge_texts(
    texts: Sequence[str], known: Known, packed: Packed, learner: str, extra_learners: Mapping[str, str],
    _report: jobs.Report,
) -> Guarded:  # fmt: skip
    """The guards' result for the texts. packed: the live model; learner: the name of its learner."""
    return _judged(texts, known, unpack(packed, find_learner(learner, extra_learners)))


def _judged(texts: Sequence[str], known: Known, fitted: Fitted) -> Guarded:
    def chances(left: Sequence[str]) -> list[Mapping[str, float]]:
        rows = fitted.probabilities([Input(text) for text in left])
        return [dict(zip(fitted.classes, map(float, row), strict=True)) for row in rows]

    return guarded(texts, known, chances)


def _make_calls(
    database: Database, batch_id: int, clock: Callable[[], datetime], queue: QueuePolicy, write: Write, hear: Hear,
    check: Callable[[], None],
) -> None:  # fmt: skip
    while True:
        check()
        with database.transaction(wait=PATIENT) as session:
            ask = begin_call(session, batch_id, queue, clock())
        if ask is None:
            return
        try:
            answered = write(ask)
        except Busy:
            with database.transaction(wait=PATIENT) as session:
                store_answer(session, batch_id, ask.position, "", CallProblem.BUSY, clock())
            raise
        with database.transaction(wait=PATIENT) as session:
            store_answer(session, batch_id, ask.position, answered.body, answered.problem, clock())
        hear(ask.position, ask.planned)


def _facts(session: Session, batch_id: int, queue: QueuePolicy) -> _Facts:
    batch = session.get_one(SyntheticBatch, batch_id)
    model = live_version(session, batch.queue_id)
    artifact = session.get(Artifact, model.id) if model else None
    if model is None or artifact is None or artifact.purged_at is not None:
        raise Refusal("There is no live model any more that the guards could ask.")
    packed = Packed(artifact.content, artifact.sha256, artifact.runtime)
    texts = written_texts(session, batch_id)
    return _Facts(texts, _known(session, batch, queue, texts), packed, model.learner)


def _known(session: Session, batch: SyntheticBatch, queue: QueuePolicy, texts: Sequence[str]) -> Known:
    rows = [row for row in gather(session, batch.queue_id, queue) if row.input.has(Modality.TEXT)]
    training = [row.input.text for row in rows]
    golden = golden_set(session, batch.queue_id, with_withdrawn=True)
    shown = examples_for(session, batch.queue_id, queue, batch.label, batch.mistaken_for, batch.plan["examples"])
    protected = {one.content_hash for one in golden} | {row.content_hash for row in rows}
    return Known(
        shown=[one.shown.text for one in shown],
        training=training,
        golden=[one.input.text for one in golden if one.input.has(Modality.TEXT)],
        golden_threshold=queue.golden.near_duplicate,
        words=frozenset(word for text in training for word in words_of(text)),
        rows=sum(row.label == batch.label for row in rows),
        allowed=frozenset(filter(None, (batch.label, batch.mistaken_for))),
        written=frozenset(_stored_before(session, batch, texts) - protected),
        language=batch.language,
    )


def _stored_before(session: Session, batch: SyntheticBatch, texts: Sequence[str]) -> set[str]:
    """The hashes of texts whose content the queue has already, or had before it was erased, in an earlier batch or in a
    prediction, also in one that is only used for measuring."""
    hashes, found = [content_hash(text) for text in texts], set()
    for record in (Prediction, SyntheticText):
        stored = select(record.content_hash).where(record.queue_id == batch.queue_id, record.content_hash.in_(hashes))
        found |= set(session.scalars(stored))
    return found


def _log_leaks(found: Guarded, batch_id: int, queue: QueuePolicy) -> None:
    leaks = found.counts.get(Guard.GOLDEN_LEAK, 0)
    if leaks:
        log.error("A language model wrote golden texts", extra={"queue": queue.name, "batch": batch_id, "leaks": leaks})
