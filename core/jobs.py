"""Jobs: work that must happen, as rows. The schedulers of any number of processes ask which slots are due, and a unique
key makes each slot one row; any number of workers claim rows. A claim is a lease; a worker that lost it cannot finish
the job: the effect and `finish` share a transaction, fenced by (leased_by, attempts).

A job may have children, each a shard of its work; they report progress, and the parent continues when all have ended.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from sqlalchemy import bindparam, delete, func, literal_column, or_, select, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from core.records.jobs import Job, Schedule
from core.storage import leases
from core.storage.announcing import announce
from core.storage.database import insert
from core.storage.leases import LONGEST_PAUSE, MOST_ATTEMPTS, IsDead
from core.storage.ready import fetch
from core.vocabulary import Coded

LEASE = timedelta(seconds=20)  # renewed every few seconds while the work goes on

IS_UNDER_WAY = or_(
    *(select(Job.id).where(Job.state == literal_column(state)).exists() for state in ("'ready'", "'running'"))
)
_IS_READY = select(  # built once: workers ask it all day
    select(Job.id)
    .where(
        Job.state == literal_column("'ready'"), Job.name == bindparam("name"), Job.next_attempt_at <= bindparam("now")
    )
    .exists()
)

T = TypeVar("T")
LatestSlot = Callable[[datetime], datetime | None]  # the newest slot at or before a moment
Report = Callable[[Coded], None]  # receives the progress of the work
Check = Callable[[], None]  # called now and then; raises to end the work


class Execute(Protocol):
    """Runs the computing part of a job, `function(*arguments, report)`, here or in a process of its own, and returns
    its result. So the function is at the top level of a module, and its arguments, its result and its refusals can be
    pickled.

    check: called at least every second while another process or thread works; an exception from it ends the work.

    Raises the function's Refusal, WorkFailed for any other failure in another process, and Interrupted if the worker is
    stopping.
    """

    def __call__(self, function: Callable[..., T], *arguments: Any, report: Report, check: Check = ...) -> T: ...


@dataclass(frozen=True)
class Claim:
    id: int
    name: str
    key: str
    payload: dict[str, Any]
    attempt: int
    claimed_by: str


@dataclass(frozen=True)
class Children:
    """The numbers of a job's children: in all, those that are done, and those that were given up (`dead`)."""

    total: int
    done: int
    dead: int

    @property
    def have_ended(self) -> bool:
        return self.done + self.dead == self.total


class LostLease(Exception):  # noqa: N818 - a fact, not an error of the caller
    """Another worker has taken the job over; the work of this one must not be stored."""


class WorkFailed(Exception):  # noqa: N818 - a fact, told by a process that could not go on
    """Work in another process failed; `str` says why in one line."""


class Interrupted(Exception):  # noqa: N818 - not an error of the job
    """The work was ended on purpose; the job can be claimed again as if it had not been claimed."""


def unchecked() -> None:
    """A `Check` that never ends the work."""


def unheard(_step: Coded) -> None:
    """A `Report` that is ignored, for work whose progress is not shown."""


def execute_here(function: Callable[..., T], *arguments: Any, report: Report, check: Check = unchecked) -> T:
    """An `Execute` in this thread. It checks once, before the work, which cannot be ended then."""
    check()
    return function(*arguments, report)


def enqueue(
    session: Session,
    name: str,
    key: str,
    payload: dict[str, Any],
    now: datetime,
    mutex: str | None = None,
    priority: int = 0,
) -> None:
    """Store a job, once per key however often it is requested. priority: lower goes first."""
    row = {"name": name, "key": key, "payload": payload, "mutex": mutex, "priority": priority}
    session.execute(_new(session).values(row | _fresh(now)))
    announce(session)


def enqueue_children(
    session: Session, parent: Claim, name: str, payloads: Sequence[dict[str, Any]], now: datetime, priority: int = 0
) -> None:
    """Store a job for each shard of the parent's work. Repeating it adds none."""
    rows = [
        {"name": name, "key": f"{parent.key}/{shard}", "payload": payload, "priority": priority,
         "parent_id": parent.id, "shard": shard} | _fresh(now)
        for shard, payload in enumerate(payloads)
    ]  # fmt: skip
    if rows:
        session.execute(_new(session).values(rows))
        announce(session)


def children(session: Session, parent_id: int) -> Children:
    counted = select(Job.state, func.count()).where(Job.parent_id == parent_id).group_by(Job.state)
    states = dict(session.execute(counted).all())
    return Children(sum(states.values()), states.get("done", 0), states.get("dead", 0))


def enqueue_due(
    session: Session, schedule_name: str, latest_slot: LatestSlot, job: str, payload: dict[str, Any], now: datetime
) -> None:
    """Store a job for the newest slot that fell due since the last stored one: after an outage of a week there is one
    run, not seven. A new schedule starts now."""
    newest, known = latest_slot(now), session.get(Schedule, schedule_name)
    if known is not None and (newest is None or newest <= known.last_slot):
        return  # the usual case: nothing is locked
    session.execute(
        insert(session, Schedule)
        .values(name=schedule_name, last_slot=now)
        .on_conflict_do_nothing(index_elements=["name"])
    )  # fmt: skip
    schedule = session.get_one(Schedule, schedule_name, with_for_update=True, populate_existing=True)
    if newest is not None and newest > schedule.last_slot:
        schedule.last_slot = newest
        enqueue(session, job, f"{schedule_name}@{newest:%Y-%m-%dT%H:%M:%SZ}", payload, now)


def claim(session: Session, name: str, worker: str, now: datetime, key: str | None = None) -> Claim | None:
    """Claim a ready job of this name whose mutex is free: the lowest priority number first, then the oldest. key: only
    the job with this key. None: there is none."""
    if not fetch(session, _IS_READY, {"name": name, "now": now})[0][0]:
        return None
    other = aliased(Job)
    busy = select(other.id).where(other.mutex == Job.mutex, other.state == "running").exists()
    job = session.scalar(
        select(Job)
        .where(Job.name == name, Job.state == "ready", Job.next_attempt_at <= now, or_(Job.mutex.is_(None), ~busy))
        .where(true() if key is None else Job.key == key)
        .order_by(Job.priority, Job.next_attempt_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Job)
    )
    if job is None:
        return None
    try:
        with session.begin_nested():
            job.state, job.attempts = "running", job.attempts + 1
            leases.take(job, worker, now, LEASE)
    except IntegrityError:  # another worker took this mutex between our read and our write
        return None
    return Claim(job.id, job.name, job.key, job.payload, job.attempts, worker)


def take_over(session: Session, name: str, key: str, worker: str, now: datetime, is_dead: IsDead) -> Claim | None:
    """Claim this job for a person who requests it now, whether it waits for its next attempt, has lost its worker or
    was given up. Its attempts are counted anew. None: another worker has the job, or another job its mutex. Locks the
    job."""
    job = session.scalars(select(Job).where(Job.key == key).with_for_update(of=Job)).one()
    if job.state in ("ready", "dead") or (job.state == "running" and _is_lost(job, now, is_dead)):
        leases.release(job)
        job.state, job.attempts, job.next_attempt_at = "ready", 0, now
        session.flush()
    return claim(session, name, worker, now, key)


def renew(session: Session, claimed: Claim, now: datetime) -> bool:
    """Renew the lease. False: it is lost, so stop."""
    return _update(session, claimed, leased_until=now + LEASE)


def report_progress(session: Session, claimed: Claim, done: int, total: int, code: str = "") -> bool:
    """Store how far the job is, for people to see. code: the present step. False: the lease is lost, so stop."""
    return _update(session, claimed, progress={"done": done, "total": total, "code": code})


def finish(session: Session, claimed: Claim) -> None:
    """End the job, in the same transaction as its effect. Raises LostLease, which rolls that effect back."""
    if not _update(session, claimed, state="done", leased_by=None, leased_until=None):
        raise LostLease(claimed.id)


def fail(session: Session, claimed: Claim, reason: str, now: datetime) -> bool:
    """Count a failed attempt: the job is ready again after a pause, or dead after `MOST_ATTEMPTS`. Returns whether it
    is dead."""
    dead = claimed.attempt >= MOST_ATTEMPTS
    noted = _update(
        session, claimed, state="dead" if dead else "ready", next_attempt_at=now + leases.backoff(claimed.attempt),
        failure_reason=reason[:500], leased_by=None, leased_until=None,
    )  # fmt: skip
    return dead and noted


def bring_forward(session: Session, key: str, now: datetime) -> None:
    """Make a waiting job ready now, because the reason for waiting is over. Does nothing to a job that runs or has
    ended."""
    session.execute(update(Job).where(Job.key == key, Job.state == "ready").values(next_attempt_at=now))


def release(session: Session, claimed: Claim, now: datetime) -> None:
    """Put a job back as if it had not been claimed, because the database was unavailable or the worker is stopping. The
    caller has stopped working on it. Does nothing if the job is finished or claimed by another worker."""
    _update(
        session, claimed, state="ready", attempts=claimed.attempt - 1, next_attempt_at=now, leased_by=None,
        leased_until=None,
    )  # fmt: skip


def reap(session: Session, now: datetime, is_dead: IsDead) -> list[Job]:
    """Free the jobs whose lease ran out, or whose worker `is_dead` knows to be gone. Those that lost their worker too
    often are dead themselves, and returned. Safe to repeat from any number of workers."""
    running = session.scalars(select(Job).where(Job.state == "running").with_for_update(skip_locked=True))
    lost = [job for job in running if _is_lost(job, now, is_dead)]
    for job in lost:
        leases.release(job)
        job.state = "dead" if job.attempts >= MOST_ATTEMPTS else "ready"
        job.next_attempt_at = min(job.next_attempt_at, now)
        job.failure_reason = job.failure_reason or "its worker stopped answering"
    return [job for job in lost if job.state == "dead"]


def forget_before(session: Session, before: datetime, most: int = 1000) -> int:
    """Delete some of the jobs that were due before this time and have ended, done or dead, if a job of the same kind
    was done since; a parent after its children. Returns how many; repeating it is safe."""
    later, child = aliased(Job), aliased(Job)
    kind, later_kind = func.coalesce(Job.mutex, Job.name), func.coalesce(later.mutex, later.name)
    since = select(later.id).where(later.id > Job.id, later.state == "done", later_kind == kind).exists()
    has_children = select(child.id).where(child.parent_id == Job.id).exists()
    over = select(Job.id).where(Job.state.in_(("done", "dead")), Job.next_attempt_at < before, since, ~has_children)
    ids = session.scalars(over.limit(most)).all()
    return len(session.execute(delete(Job).where(Job.id.in_(ids)).returning(Job.id)).all()) if ids else 0


def repair_times(session: Session, now: datetime) -> None:
    """Repair rows that were written while the clock was ahead: shorten leases and pauses that end later than is
    possible, and set schedules back from future slots. A live worker renews the shortened lease before it ends. Safe to
    repeat."""
    running, ready = Job.state == "running", Job.state == "ready"
    session.execute(update(Job).where(running, Job.leased_until > now + LEASE).values(leased_until=now + LEASE))
    session.execute(update(Job).where(ready, Job.next_attempt_at > now + LONGEST_PAUSE).values(next_attempt_at=now))
    session.execute(update(Schedule).where(Schedule.last_slot > now + LONGEST_PAUSE).values(last_slot=now))


def _is_lost(running: Job, now: datetime, is_dead: IsDead) -> bool:
    return (running.leased_until or now) <= now or is_dead(running.leased_by or "")


def _new(session: Session) -> Any:
    return insert(session, Job).on_conflict_do_nothing(index_elements=["key"])


def _fresh(now: datetime) -> dict[str, Any]:
    return {"state": "ready", "next_attempt_at": now, "attempts": 0, "failure_reason": "", "progress": {}}


def _update(session: Session, claimed: Claim, **values: Any) -> bool:
    done = session.execute(
        update(Job)
        .where(
            Job.id == claimed.id, Job.leased_by == claimed.claimed_by,
            Job.attempts == claimed.attempt, Job.state == "running",
        )
        .values(**values)
        .returning(Job.id)
    )  # fmt: skip
    return done.scalar_one_or_none() is not None
