"""Scans as rows, from the request to the end. The work itself is in core/discovery/running.py."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from core import jobs
from core.discovery.places import checked_address
from core.discovery.presenting import scan_changed, scan_requested
from core.discovery.results import Cluster, Found, Picked, Result, Scored, Selected
from core.discovery.sources import Columns, Shard
from core.errors import AlreadySettled, Invalid, NotFound, Refusal
from core.learning.lifecycle.models import live_version
from core.policy import QueuePolicy
from core.queues import queue_to_fill
from core.records.discovery import Find, Scan, ScanShard
from core.records.learning import GoldenExample, SeedExample
from core.records.predictions import Prediction
from core.storage.database import insert
from core.vocabulary import Coded, FindState, ScanState, ShardState

SCAN = "scan"  # the name of the job
UNFINISHED = (ScanState.REQUESTED, ScanState.RUNNING)


@dataclass(frozen=True)
class Wanted:
    """A request for a scan. label: look for texts between this label and another; foreign: look for texts of another
    kind than the queue's. items, processes: None for those of the policy."""

    source: str
    columns: Columns
    label: str | None = None
    foreign: bool = False
    items: int | None = None
    processes: int | None = None


@dataclass(frozen=True)
class Counts:
    """The numbers of a scan's rows. known: rows that would be top-ranked, but that the queue already has; ranked: rows
    that are neither foreign nor unreadable. unread: the number of shards that could not be read."""

    read: int
    foreign: int
    known: int
    ranked: int
    near_duplicates: int
    found: int
    shards: int
    unread: int


def scan_key(scan_id: int) -> str:
    """The key of the scan's job."""
    return f"{SCAN}:{scan_id}"


def request_scan(session: Session, policy: QueuePolicy, wanted: Wanted, person: str, now: datetime) -> int:
    """Request a scan by the queue's live model; returns its id. If the same scan is unfinished, its id is returned, so
    that an interrupted command can be run again. Raises Invalid for an impossible request, and Refusal if no model is
    live or another scan of this queue is under way."""
    queue = queue_to_fill(session, policy.name)
    model = live_version(session, queue.id)
    if model is None:
        raise Refusal(
            f"{policy.shown_title} has no live model. A scan looks for texts that the live model is unsure of."
        )
    _check(wanted, policy)
    values = {
        "queue_id": queue.id, "source": checked_address(wanted.source), "text_column": wanted.columns.text,
        "id_column": wanted.columns.id, "label": wanted.label, "foreign": wanted.foreign,
        "wanted": wanted.items or policy.discovery.items,
    }  # fmt: skip
    fresh = {
        "model_id": model.id, "processes": wanted.processes or policy.discovery.processes,
        "state": ScanState.REQUESTED, "requested_by": person, "requested_at": now, "progress": {}, "counts": {},
        "clusters": [], "digest": "", "problem": "", "problem_values": {}, "policy_fingerprint": policy.fingerprint,
    }  # fmt: skip
    new = insert(session, Scan).values(values | fresh)
    unfinished = text("state IN ('requested', 'running')")
    new = new.on_conflict_do_nothing(index_elements=["queue_id"], index_where=unfinished)
    scan_id: int | None = session.scalar(new.returning(Scan.id))
    if scan_id is None:
        return _same_scan(session, queue.id, values)
    jobs.enqueue(session, SCAN, scan_key(scan_id), {"scan_id": scan_id}, now, mutex=f"{SCAN}:{queue.name}", priority=1)
    scan_requested(session, scan_id, queue, now)
    return scan_id


def cancel_scan(session: Session, scan_id: int, now: datetime) -> None:
    """End a scan and delete what it has read. Locks it. Raises NotFound, and AlreadySettled if it is over."""
    scan = locked_scan(session, scan_id)
    if scan.state.is_over:
        raise AlreadySettled(f"Scan {scan_id} is already {scan.state}.")
    _end(session, scan, ScanState.CANCELLED, now)


def locked_scan(session: Session, scan_id: int) -> Scan:
    scan = session.get(Scan, scan_id, with_for_update={"of": Scan}, populate_existing=True)
    if scan is None:
        raise NotFound(f"There is no scan {scan_id}.")
    return scan


def fail_scan(session: Session, scan_id: int, problem: Coded, now: datetime) -> None:
    """End a scan as failed. problem: a code of `RunProblem`. Does nothing to a scan that is over. Locks it."""
    scan = locked_scan(session, scan_id)
    if not scan.state.is_over:
        scan.problem, scan.problem_values = problem.code, dict(problem.values)
        _end(session, scan, ScanState.FAILED, now)


def begin(session: Session, scan_id: int, shards: Sequence[Shard], now: datetime) -> None:
    """Store the shards, unless an earlier attempt has. Locks the scan."""
    scan = locked_scan(session, scan_id)
    if scan.state is not ScanState.REQUESTED:
        return
    scan.state = ScanState.RUNNING
    rows = [asdict(shard) | {"scan_id": scan_id, "state": ShardState.READY, "rows": 0, "foreign_rows": 0,
            "known_rows": 0, "top": [], "problem": ""} for shard in shards]  # fmt: skip
    session.execute(insert(session, ScanShard), rows)
    scan_changed(session, scan_id, now)


def shards_left(session: Session, scan_id: int) -> list[Shard]:
    """The shards that are not done, in order."""
    found = select(ScanShard).where(ScanShard.scan_id == scan_id, ScanShard.state == ShardState.READY)
    return [shard_of(row) for row in session.scalars(found.order_by(ScanShard.position))]


def shard_of(row: ScanShard) -> Shard:
    return Shard(row.position, row.address, row.kind, row.first, row.last, row.size)


def store_result(session: Session, scan_id: int, result: Result, kept: Sequence[Found]) -> bool:
    """Store the result of a shard. kept: those of its texts that can still be selected. False: the scan is over.
    Repeating it is safe."""
    values: dict[str, Any] = {
        "state": ShardState.FAILED,
        "problem": "" if isinstance(result, Scored) else result.problem,
    }
    if isinstance(result, Scored):
        values |= {"state": ShardState.DONE, "rows": result.rows, "foreign_rows": result.foreign,
                   "known_rows": result.known, "top": [asdict(found) for found in kept]}  # fmt: skip
    mine = (ScanShard.scan_id == scan_id, ScanShard.position == result.position, ScanShard.state == ShardState.READY)
    session.execute(update(ScanShard).where(*mine).values(values))
    return is_running(session, scan_id)


def is_running(session: Session, scan_id: int) -> bool:
    return session.scalar(select(Scan.state).where(Scan.id == scan_id)) is ScanState.RUNNING


def is_over(session: Session, scan_id: int) -> bool:
    state = session.scalar(select(Scan.state).where(Scan.id == scan_id))
    return state is None or state.is_over


def tops(session: Session, scan_id: int) -> list[list[Found]]:
    """The top-ranked texts of each shard that was read, in the order of the shards."""
    found = select(ScanShard.top).where(ScanShard.scan_id == scan_id, ScanShard.state == ShardState.DONE)
    return [[Found(**one) for one in top] for top in session.scalars(found.order_by(ScanShard.position))]


def note_progress(session: Session, scan_id: int, seconds: float, now: datetime) -> dict[str, Any]:
    """Store the progress of the shards, for the scan's card. Returns it: bytes done and total, rows, seconds."""
    is_done = ScanShard.state != ShardState.READY
    sums = select(
        func.coalesce(func.sum(ScanShard.size).filter(is_done), 0),
        func.coalesce(func.sum(ScanShard.size), 0),
        func.coalesce(func.sum(ScanShard.rows), 0),
    ).where(ScanShard.scan_id == scan_id)
    done, total, rows = session.execute(sums).one()
    progress = {"done": int(done), "total": int(total), "rows": int(rows), "seconds": round(seconds, 1)}
    session.execute(update(Scan).where(Scan.id == scan_id).values(progress=progress))
    scan_changed(session, scan_id, now)
    return progress


def unread_problems(session: Session, scan_id: int) -> list[str]:
    """A sentence for each shard that could not be read."""
    found = select(ScanShard.problem).where(ScanShard.scan_id == scan_id, ScanShard.state == ShardState.FAILED)
    return list(session.scalars(found.order_by(ScanShard.position)))


def finish_scan(session: Session, scan_id: int, selected: Selected, digest: str, now: datetime) -> bool:
    """Store the finds, all or nothing, and delete the other texts. Texts that the queue has got meanwhile are left out.
    Locks the scan, and shares the queue's row with intake. False: the scan is over."""
    scan = locked_scan(session, scan_id)
    if scan.state is not ScanState.RUNNING:
        return False
    queue_to_fill(session, scan.queue.name)
    known = known_among(session, scan.queue_id, [one.found.content_hash for one in selected.picked])
    new = [one for one in selected.picked if one.found.content_hash not in known]
    session.add_all(_find(scan, rank, one, now) for rank, one in enumerate(new, 1))
    scan.counts, scan.digest = asdict(_counts(session, scan_id, selected, len(new))), digest
    scan.clusters = [asdict(cluster) for cluster in selected.clusters]
    _end(session, scan, ScanState.DONE, now)
    return True


def known_among(session: Session, queue_id: int, hashes: Sequence[str]) -> set[str]:
    """Those of these content hashes that the queue has, or had before they were erased."""
    found: set[str] = set()
    for record in (Prediction, SeedExample, GoldenExample, Find):
        mine = select(record.content_hash).where(record.queue_id == queue_id, record.content_hash.in_(hashes))
        found |= set(session.scalars(mine))
    return found


def clusters(scan: Scan) -> tuple[Cluster, ...]:
    return tuple(Cluster(one["texts"], tuple(one["words"])) for one in scan.clusters)


def _check(wanted: Wanted, policy: QueuePolicy) -> None:
    if wanted.label is not None and wanted.label not in policy.label_named:
        raise Invalid(f"“{wanted.label}” is not a label of {policy.name}.", field="label")
    if wanted.label is not None and wanted.foreign:
        raise Invalid(
            "A scan looks either for texts about a label or for texts of another kind, not for both.", field="label"
        )


def _same_scan(session: Session, queue_id: int, values: dict[str, Any]) -> int:
    scan = session.scalars(select(Scan).where(Scan.queue_id == queue_id, Scan.state.in_(UNFINISHED))).one()
    if any(getattr(scan, name) != value for name, value in values.items()):
        raise Refusal(
            f"Scan {scan.id} of this queue is under way ({scan.source}). Wait until it is over, or cancel it."
        )
    return scan.id


def _find(scan: Scan, rank: int, picked: Picked, now: datetime) -> Find:
    label, confidence = max(picked.probabilities.items(), key=lambda one: (one[1], one[0]))
    found = picked.found
    return Find(
        scan_id=scan.id, queue_id=scan.queue_id, rank=rank, external_id=found.external_id, text=found.text,
        content_hash=found.content_hash, model_id=scan.model_id, label=label, confidence=confidence,
        probabilities=picked.probabilities, value=found.value, state=FindState.WAITING, created_at=now,
    )  # fmt: skip


def _counts(session: Session, scan_id: int, selected: Selected, found: int) -> Counts:
    failed = ScanShard.state == ShardState.FAILED
    sums = [
        func.coalesce(func.sum(column), 0) for column in (ScanShard.rows, ScanShard.foreign_rows, ScanShard.known_rows)
    ]
    counted = select(*sums, func.count(), func.count().filter(failed)).where(ScanShard.scan_id == scan_id)
    read, foreign, known, shards, unread = (int(one) for one in session.execute(counted).one())
    return Counts(read, foreign, known, read - foreign, selected.near_duplicates, found, shards, unread)


def _end(session: Session, scan: Scan, state: ScanState, now: datetime) -> None:
    """End a scan: texts that were not selected are deleted, and so are all shards but those that could not be read."""
    scan.state, scan.finished_at = state, now
    read = (ScanShard.scan_id == scan.id, ScanShard.state != ShardState.FAILED)
    session.execute(delete(ScanShard).where(*read))
    session.flush()
    scan_changed(session, scan.id, now, urgent=True)
