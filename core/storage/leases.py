"""Leases: at most one process works on a row or on a named task, until its lease ends or is released.

A process takes a lease in one short transaction, works outside of any, and releases it with the outcome in another. A
lease that is not renewed expires, so a dead process blocks nothing for long; `is_dead` recognises dead processes of
this machine, whose leases end at once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum, auto

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from core.records.leased import Lease, Leased, Retried
from core.storage.database import insert

LEASE = timedelta(seconds=60)  # longer than any call to Slack or to an endpoint
EXCLUSIVE_LEASE = timedelta(seconds=15)  # another machine may take over from a dead one after this time
LONGEST_PAUSE = timedelta(minutes=5)
MOST_ATTEMPTS = 5  # attempts at work that fails by itself, not because of an outage: it must not be repeated for ever
CLOCKS_APART = timedelta(minutes=1)  # the largest difference between the clocks of two machines

IsDead = Callable[[str], bool]


class Outcome(Enum):
    """The result of asking for a lease."""

    HELD = auto()  # this process had it already; it is renewed
    ACQUIRED = auto()  # another process may have had it until this moment
    TAKEN = auto()  # another process has it


def is_free(record: type[Leased], now: datetime) -> ColumnElement[bool]:
    return or_(record.leased_until.is_(None), record.leased_until < now)


def is_due(record: type[Retried], now: datetime) -> ColumnElement[bool]:
    """The condition that the row may be worked on now."""
    return and_(record.next_attempt_at <= now, is_free(record, now))


def take(row: Leased, process: str, now: datetime, duration: timedelta = LEASE) -> None:
    """Lease a row that the caller has locked and found free, or renew the lease."""
    row.leased_by, row.leased_until = process, now + duration


def release(row: Leased) -> None:
    row.leased_by = row.leased_until = None


def release_failed(row: Retried, now: datetime, retry_after: float | None = None) -> None:
    """Count a failed attempt. The next one follows after `retry_after` seconds, or by default after two seconds,
    doubling with each failure."""
    release(row)
    row.attempts += 1
    row.next_attempt_at = now + (timedelta(seconds=retry_after) if retry_after is not None else backoff(row.attempts))


def backoff(attempts: int) -> timedelta:
    """The pause after so many attempts: two seconds after the first, doubling up to the longest."""
    return min(LONGEST_PAUSE, timedelta(seconds=2 ** min(attempts, 10)))


def release_all(session: Session, record: type[Leased], process: str) -> None:
    """Free all rows of this kind that this process has leased. The process must not work on any of them."""
    session.execute(update(record).where(record.leased_by == process).values(leased_by=None, leased_until=None))


def release_dead(session: Session, record: type[Leased], is_dead: IsDead) -> None:
    """Free the rows that are leased by dead processes at once, instead of when the lease ends."""
    leased = select(record).where(record.leased_until.is_not(None)).with_for_update(skip_locked=True)
    for row in session.scalars(leased):
        if row.leased_by and is_dead(row.leased_by):
            release(row)


def repair_times(
    session: Session, record: type[Retried], waits: ColumnElement[bool], now: datetime, lease: timedelta,
    is_late: ColumnElement[bool],
) -> None:  # fmt: skip
    """Repair leases and due times after the clock was put back. A lease ends when it would if it were taken now,
    because its process may be at work. A row that `is_late` is due now. waits: the condition on rows that are not
    finished."""
    ahead = record.leased_until > now + lease + CLOCKS_APART
    session.execute(update(record).where(waits, ahead).values(leased_until=now + lease))
    session.execute(update(record).where(waits, is_late).values(next_attempt_at=now))


def acquire(session: Session, name: str, process: str, now: datetime, is_dead: IsDead) -> Outcome:
    """Take or renew the lease of this name. Locks the row only to change it, so that waiting processes do not hold up
    others. Repeating it renews the lease."""
    lease = session.get(Lease, name)
    if lease is None:
        first = insert(session, Lease).values(name=name, leased_by=process, leased_until=now + EXCLUSIVE_LEASE)
        made = session.execute(first.on_conflict_do_nothing().returning(Lease.name)).first()
        return Outcome.ACQUIRED if made else Outcome.TAKEN
    current = _holder(lease, now, is_dead)
    if current == process and not _ends_soon(lease, now):
        return Outcome.HELD
    if current not in (None, process):
        return Outcome.TAKEN
    lease = session.get_one(Lease, name, with_for_update=True, populate_existing=True)
    if _holder(lease, now, is_dead) not in (None, process):
        return Outcome.TAKEN  # another process took it since the row was read
    outcome = Outcome.HELD if lease.leased_by == process else Outcome.ACQUIRED
    take(lease, process, now, EXCLUSIVE_LEASE)
    return outcome


def relinquish(session: Session, name: str, process: str) -> None:
    """Give up the lease of this name. Does nothing if another process has it already."""
    held = update(Lease).where(Lease.name == name, Lease.leased_by == process)
    session.execute(held.values(leased_by=None, leased_until=None))


def holder(session: Session, name: str, now: datetime, is_dead: IsDead) -> str | None:
    """The process that has the lease of this name; None if it is free."""
    lease = session.get(Lease, name)
    return None if lease is None else _holder(lease, now, is_dead)


def _ends_soon(lease: Lease, now: datetime) -> bool:
    return lease.leased_until is None or lease.leased_until - now <= EXCLUSIVE_LEASE / 2


def _holder(lease: Lease, now: datetime, is_dead: IsDead) -> str | None:
    """The process with this lease. A lease that ends later than possible was taken before the clock was put back; it is
    free."""
    if lease.leased_by is None or lease.leased_until is None or is_dead(lease.leased_by):
        return None
    return lease.leased_by if now < lease.leased_until <= now + EXCLUSIVE_LEASE + CLOCKS_APART else None
