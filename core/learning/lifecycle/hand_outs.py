"""Hand-outs: a snapshot is handed out to a service outside, by a webhook, and its run waits for the answers.

The wait is a row (`HandOut`) and a job that is ready again every minute, so it survives a restart, no process holds a
lease meanwhile, and the runs of other queues go on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import jobs
from core.delivery.webhooks import publish
from core.errors import NotFound, Refusal
from core.jobs import Claim
from core.learning.data.erased_rows import erased_rows
from core.learning.data.golden import Golden, golden_set
from core.learning.learners.external import READS, ExternalModel
from core.learning.lifecycle.runs import locked_run, say_progress
from core.policy import QueuePolicy
from core.records.external import HandOut
from core.records.learning import Snapshot, TrainingRun
from core.vocabulary import Coded, EventKind, RunState, RunStep

LOOKS_AGAIN = timedelta(minutes=1)  # after which a run that waits looks whether its time is over


@dataclass(frozen=True)
class HandedOut:
    """A hand-out whose answers a run waits for, or that has been answered. hash: of the snapshot."""

    run_id: int
    snapshot_id: int
    hash: str
    labels: tuple[str, ...]
    due_at: datetime
    version: str | None


def wait_for_other_run(session: Session, claimed: Claim, now: datetime) -> bool:
    """Whether this training run has to wait for an earlier run of its queue that still waits for its service: otherwise
    the older model would supersede the newer one. If so, the job is put back, and the run's card says why."""
    run = session.get_one(TrainingRun, claimed.payload["run_id"])
    earlier = session.scalar(
        select(HandOut.run_id)
        .join(TrainingRun, TrainingRun.id == HandOut.run_id)
        .where(TrainingRun.queue_id == run.queue_id, TrainingRun.state == RunState.RUNNING, TrainingRun.id < run.id)
        .limit(1)
    )
    if earlier is None:
        return False
    jobs.release(session, claimed, now + LOOKS_AGAIN)
    if run.progress != RunStep.OTHER_RUN:
        say_progress(session, run, Coded(RunStep.OTHER_RUN, {"run": earlier}), now)
    return True


def wait_for_answers(session: Session, claimed: Claim, now: datetime) -> bool:
    """Whether this run still waits for its service. If so, its job is put back. False also for a run that has handed
    out nothing. Raises Refusal if the run has waited too long, or if rows that the service has were erased."""
    found = session.get(HandOut, claimed.payload["run_id"], populate_existing=True)
    if found is None or found.version is not None:
        return False
    refuse_if_erased(session, found.snapshot_id)
    if now > found.due_at:
        raise Refusal(
            f"The service sent no usable answers to snapshot {found.snapshot_id} by {_shown(found.due_at)}. "
            "Its corrections train in the next run: start one when the service works."
        )
    jobs.release(session, claimed, now + LOOKS_AGAIN)
    return True


def refuse_if_erased(session: Session, snapshot_id: int) -> None:
    """Raise Refusal if rows of the snapshot were erased: what a service has learned from them cannot be taken out of
    its model."""
    if erased := erased_rows(session, snapshot_id)[0]:
        rows = (
            f"1 row of snapshot {snapshot_id} was" if erased == 1 else f"{erased} rows of snapshot {snapshot_id} were"
        )
        raise Refusal(
            f"{rows} erased while the service had the snapshot. Start another run, whose snapshot is without "
            f"{'it' if erased == 1 else 'them'}; the service must delete its copy."
        )


def is_away_too_long(session: Session, run_id: int, now: datetime, queue: QueuePolicy) -> bool:
    """Whether a candidate could not be compared for as long as the service has to train."""
    row, run = session.get(HandOut, run_id), session.get_one(TrainingRun, run_id)
    since = row.submitted_at if row is not None and row.submitted_at is not None else run.requested_at
    return now > since + timedelta(hours=queue.external.answer_hours)


def hand_out(session: Session, claimed: Claim, now: datetime, queue: QueuePolicy) -> None:
    """Tell the service, by webhook, that the run's snapshot can be fetched, and put the job back. Locks the run;
    repeating it hands out nothing more."""
    run = locked_run(session, claimed.payload["run_id"])
    jobs.release(session, claimed, now + LOOKS_AGAIN)
    if session.get(HandOut, run.id) is not None:
        return
    snapshot = session.get_one(Snapshot, run.snapshot_id)
    due_at = now + timedelta(hours=queue.external.answer_hours)
    row = HandOut(
        run_id=run.id,
        snapshot_id=snapshot.id,
        queue_id=run.queue_id,
        labels={"names": list(queue.label_names)},
        handed_out_at=now,
        due_at=due_at,
    )
    session.add(row)
    session.flush()
    golden = len(_inputs(session, row, snapshot))
    publish(
        session, EventKind.TRAINING_REQUESTED, run.id, run.queue_id, _told(queue, run, snapshot, row, golden), now
    )  # fmt: skip
    values = {"rows": snapshot.rows, "golden": golden, "until": due_at.isoformat()}
    say_progress(session, run, Coded(RunStep.SERVICE_ASKED, values), now)


def handed_out(session: Session, queue_id: int, snapshot_id: int) -> HandedOut:
    """The hand-out of a snapshot. Raises NotFound if the queue has no such snapshot, or if it was not handed out."""
    row = session.scalar(select(HandOut).where(HandOut.queue_id == queue_id, HandOut.snapshot_id == snapshot_id))
    if row is None:
        raise NotFound(f"This queue has handed out no snapshot {snapshot_id}.")
    return _value(session, row)


def golden_inputs(session: Session, queue_id: int, snapshot_id: int) -> list[Golden]:
    """The inputs that the service is to answer: golden examples that can be measured with this snapshot and were not
    erased. They are in the order of their hashes, which does not reveal their labels. Raises NotFound."""
    row = session.scalar(select(HandOut).where(HandOut.queue_id == queue_id, HandOut.snapshot_id == snapshot_id))
    if row is None:
        raise NotFound(f"This queue has handed out no snapshot {snapshot_id}.")
    return _inputs(session, row, session.get_one(Snapshot, snapshot_id))


def answered_model(session: Session, run_id: int) -> ExternalModel | None:
    """The model that the service says it has trained. None: it has not answered, or was not asked."""
    row = session.get(HandOut, run_id, populate_existing=True)
    if row is None or row.version is None:
        return None
    return ExternalModel(_value(session, row).hash, row.version, tuple(row.labels["names"]))


def _value(session: Session, row: HandOut) -> HandedOut:
    digest = session.get_one(Snapshot, row.snapshot_id).content_hash
    return HandedOut(row.run_id, row.snapshot_id, digest, tuple(row.labels["names"]), row.due_at, row.version)


def _inputs(session: Session, row: HandOut, snapshot: Snapshot) -> list[Golden]:
    labels = set(row.labels["names"])
    golden = golden_set(session, row.queue_id, snapshot.golden_up_to, as_of=snapshot.created_at)
    readable = [one for one in golden if one.label in labels and one.input.has_any(READS)]
    return sorted(readable, key=lambda one: one.content_hash)


def _told(queue: QueuePolicy, run: TrainingRun, snapshot: Snapshot, row: HandOut, golden: int) -> dict[str, Any]:
    """The data of the webhook event. It has no texts: the service fetches those that it may read."""
    where = f"/api/v1/queues/{queue.name}/snapshots/{snapshot.id}"
    return {
        "queue": queue.name,
        "run_id": run.id,
        "snapshot_id": snapshot.id,
        "snapshot_hash": snapshot.content_hash,
        "rows": snapshot.rows,
        "golden_inputs": golden,
        "labels": list(queue.label_names),
        "due_at": row.due_at.isoformat(),
        "snapshot": f"{where}?format=jsonl",
        "golden": f"{where}/golden",
        "answers": f"{where}/answers",
    }


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
