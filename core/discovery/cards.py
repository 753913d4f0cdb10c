"""The card of a scan, as plain data."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.discovery.find_counts import FindCounts, find_counts
from core.discovery.results import Cluster
from core.discovery.scans import Counts, clusters, unread_problems
from core.errors import NotFound
from core.policy import Policy
from core.queues import queue_named
from core.records.discovery import Scan
from core.records.learning import ModelVersion
from core.vocabulary import Coded, ScanState

LISTED = 10  # the newest scans of a queue that are listed


@dataclass(frozen=True)
class ScanCard:
    """A scan as people see it. done: share of the source that was read, in [0, 1]; None: the scan has not begun. left:
    seconds until the rest is read, at this rate; None: not known. counts: None until the scan is done. unread: a
    sentence for each part of the source that could not be read."""

    scan_id: int
    queue_title: str
    source: str
    model: str
    label: str | None
    foreign: bool
    state: ScanState
    requested_by: str
    done: float | None
    rows: int
    seconds: float
    left: float | None
    counts: Counts | None
    finds: FindCounts
    clusters: tuple[Cluster, ...]
    unread: tuple[str, ...]
    problem: Coded | None  # a code of `RunProblem`
    digest: str


def scan_card(session: Session, scan_id: int, policy: Policy) -> ScanCard:
    """The card of a scan. Raises NotFound."""
    scan = session.get(Scan, scan_id)
    if scan is None:
        raise NotFound(f"There is no scan {scan_id}.")
    return _card(session, scan, policy.queue(scan.queue.name).shown_title)


def newest_scans(session: Session, policy: Policy, queue_name: str) -> list[ScanCard]:
    queue = queue_named(session, queue_name)
    found = select(Scan).where(Scan.queue_id == queue.id).order_by(Scan.id.desc()).limit(LISTED)
    return [_card(session, scan, policy.queue(queue_name).shown_title) for scan in session.scalars(found)]


def _card(session: Session, scan: Scan, title: str) -> ScanCard:
    progress = scan.progress or {"done": 0, "total": 0, "rows": 0, "seconds": 0.0}
    share = progress["done"] / progress["total"] if progress["total"] else None
    return ScanCard(
        scan_id=scan.id,
        queue_title=title,
        source=scan.source,
        model=session.get_one(ModelVersion, scan.model_id).name,
        label=scan.label,
        foreign=scan.foreign,
        state=scan.state,
        requested_by=scan.requested_by,
        done=share,
        rows=progress["rows"],
        seconds=progress["seconds"],
        left=time_left(progress["done"], progress["total"], progress["seconds"]),
        counts=Counts(**scan.counts) if scan.counts else None,
        finds=find_counts(session, scan.id),
        clusters=clusters(scan),
        unread=tuple(unread_problems(session, scan.id)),
        problem=Coded(scan.problem, scan.problem_values) if scan.problem else None,
        digest=scan.digest,
    )


def time_left(done: int, total: int, seconds: float) -> float | None:
    """Seconds until the rest is done, at the rate up to now; None: nothing is done yet."""
    return seconds * (total - done) / done if done else None
