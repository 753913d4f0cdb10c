"""Work that must happen, as rows. Any number of clocks ask "which slots are due?" and a unique key makes each slot one
row; any number of workers claim rows. A claim has a lease; who lost it cannot finish: effect and `finish` stand in one
transaction, fenced by (claimed_by, attempt).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from core.records.jobs import Job, Schedule
from core.storage.database import insert

LEASE = timedelta(seconds=20)  # renewed every few seconds while the work goes on
MOST_ATTEMPTS = 5  # a job that kills its worker must not loop for ever
LONGEST_PAUSE = timedelta(minutes=5)

LatestSlot = Callable[[datetime], datetime | None]  # the newest slot at or before a moment


@dataclass(frozen=True)
class Claim:
    id: int
    name: str
    payload: dict[str, Any]
    attempt: int
    claimed_by: str


class LostLease(Exception):  # noqa: N818 - a fact, not an error of the caller
    """Somebody else has taken the job over; what this worker did must not be stored."""


def enqueue(
    session: Session, name: str, key: str, payload: dict[str, Any], now: datetime, mutex: str | None = None
) -> None:
    """One row per key, however often it is asked for."""
    session.execute(
        insert(session, Job)
        .values(name=name, key=key, payload=payload, mutex=mutex, state="ready", run_at=now, attempt=0, last_error="")
        .on_conflict_do_nothing(index_elements=["key"])
    )


def enqueue_due(
    session: Session, schedule_name: str, latest_slot: LatestSlot, job: str, payload: dict[str, Any], now: datetime
) -> None:
    """Insert the newest slot that fell due since the stored last one (an outage of a week is one run, not seven).
    A schedule met for the first time starts now."""
    session.execute(
        insert(session, Schedule)
        .values(name=schedule_name, last_slot=now)
        .on_conflict_do_nothing(index_elements=["name"])
    )  # fmt: skip
    schedule = session.get_one(Schedule, schedule_name, with_for_update=True, populate_existing=True)
    newest = latest_slot(now)
    if newest is not None and newest > schedule.last_slot:
        schedule.last_slot = newest
        enqueue(session, job, f"{schedule_name}@{newest:%Y-%m-%dT%H:%M:%SZ}", payload, now)


def claim(session: Session, name: str, worker: str, now: datetime) -> Claim | None:
    """Take one ready job of this name whose mutex is free; None if there is none."""
    other = aliased(Job)
    busy = select(other.id).where(other.mutex == Job.mutex, other.state == "running").exists()
    job = session.scalar(
        select(Job)
        .where(Job.name == name, Job.state == "ready", Job.run_at <= now, or_(Job.mutex.is_(None), ~busy))
        .order_by(Job.run_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Job)
    )
    if job is None:
        return None
    try:
        with session.begin_nested():
            job.state, job.claimed_by, job.attempt = "running", worker, job.attempt + 1
            job.lease_until = now + LEASE
    except IntegrityError:  # another worker took this mutex between our read and our write
        return None
    return Claim(job.id, job.name, job.payload, job.attempt, worker)


def renew(session: Session, claimed: Claim, now: datetime) -> bool:
    """False: the lease is lost; stop."""
    return _update(session, claimed, lease_until=now + LEASE)


def finish(session: Session, claimed: Claim) -> None:
    """In the same transaction as the job's effect. Raises LostLease, which rolls that effect back."""
    if not _update(session, claimed, state="done", lease_until=None):
        raise LostLease(claimed.id)


def fail(session: Session, claimed: Claim, error: str, now: datetime) -> bool:
    """Back to the queue with a pause, or dead after `MOST_ATTEMPTS` (True)."""
    dead = claimed.attempt >= MOST_ATTEMPTS
    pause = min(LONGEST_PAUSE, timedelta(seconds=2**claimed.attempt))
    noted = _update(
        session, claimed,
        state="dead" if dead else "ready", run_at=now + pause, last_error=error[:500], lease_until=None,
    )  # fmt: skip
    return dead and noted


def give_back(session: Session, claimed: Claim, now: datetime) -> None:
    """Back to the queue as if it had not been taken: that the database was away is no fault of the job. The caller has
    stopped working on it. Does nothing if the job is done, or somebody else's."""
    _update(session, claimed, state="ready", attempt=claimed.attempt - 1, run_at=now, claimed_by=None, lease_until=None)


def give_back_all(session: Session, worker: str, now: datetime) -> int:
    """The same for whatever this worker holds; it is about to end and claims nothing any more. Returns how many."""
    given = session.execute(
        update(Job)
        .where(Job.state == "running", Job.claimed_by == worker)
        .values(state="ready", attempt=Job.attempt - 1, run_at=now, claimed_by=None, lease_until=None)
        .returning(Job.id)
    )
    return len(given.all())


def reap(session: Session, now: datetime, is_dead: Callable[[str], bool]) -> list[Job]:
    """Give back the jobs whose lease ran out, or whose worker `is_dead` knows to be gone. Those that lost their worker
    too often are dead themselves, and returned. Safe to repeat from any number of workers."""
    running = session.scalars(select(Job).where(Job.state == "running").with_for_update(skip_locked=True))
    lost = [job for job in running if (job.lease_until or now) <= now or is_dead(job.claimed_by or "")]
    for job in lost:
        job.state = "dead" if job.attempt >= MOST_ATTEMPTS else "ready"
        job.claimed_by = job.lease_until = None
        job.run_at = min(job.run_at, now)
        job.last_error = job.last_error or "its worker stopped answering"
    return [job for job in lost if job.state == "dead"]


def forget_before(session: Session, before: datetime, most: int = 1000) -> int:
    """Delete a piece of the jobs that were to run before then and ended, well or not, if one of the same kind has gone
    well since. Returns how many; repeating it is safe."""
    later = aliased(Job)
    kind, later_kind = func.coalesce(Job.mutex, Job.name), func.coalesce(later.mutex, later.name)
    since = select(later.id).where(later.id > Job.id, later.state == "done", later_kind == kind).exists()
    over = select(Job.id).where(Job.state.in_(("done", "dead")), Job.run_at < before, since)
    ids = session.scalars(over.limit(most)).all()
    return len(session.execute(delete(Job).where(Job.id.in_(ids)).returning(Job.id)).all()) if ids else 0


def mend_times(session: Session, now: datetime) -> None:
    """Leases and pauses that end later than any can were given while the clock was ahead, and slots that are still to
    come were taken then. A worker that is alive renews the shortened lease before it ends. Safe to repeat."""
    session.execute(
        update(Job).where(Job.state == "running", Job.lease_until > now + LEASE).values(lease_until=now + LEASE)
    )
    session.execute(update(Job).where(Job.state == "ready", Job.run_at > now + LONGEST_PAUSE).values(run_at=now))
    session.execute(update(Schedule).where(Schedule.last_slot > now + LONGEST_PAUSE).values(last_slot=now))


def _update(session: Session, claimed: Claim, **values: Any) -> bool:
    done = session.execute(
        update(Job)
        .where(
            Job.id == claimed.id, Job.claimed_by == claimed.claimed_by,
            Job.attempt == claimed.attempt, Job.state == "running",
        )
        .values(**values)
        .returning(Job.id)
    )  # fmt: skip
    return done.scalar_one_or_none() is not None
