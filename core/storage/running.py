"""The running processes of Goldloop, as rows that they write themselves. No decision depends on these rows: leases
decide which process may work."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.records.leased import RunningProcess
from core.storage.database import insert

SEEN = timedelta(minutes=3)  # a process of another machine that is silent for longer counts as ended
KEPT = timedelta(days=1)  # the row of a process that could not delete it is deleted after this time
CLOCKS_APART = timedelta(minutes=1)  # the largest difference between the clocks of two machines


@dataclass(frozen=True)
class Running:
    """A running process. policy_version: the version that it applies; policy_problem: why it does not apply the newest
    one; empty: it does. works: it has the worker."""

    name: str
    parts: str
    policy_version: int
    policy_problem: str
    works: bool = False


def note_running(session: Session, process: Running, now: datetime) -> None:
    """Store that this process runs, and delete the rows of processes that have long been silent."""
    seen = {
        "parts": process.parts,
        "works": process.works,
        "policy_version": process.policy_version,
        "policy_problem": process.policy_problem,
        "seen_at": now,
    }
    row = insert(session, RunningProcess).values(name=process.name, **seen)
    session.execute(row.on_conflict_do_update(index_elements=["name"], set_=seen))
    session.execute(delete(RunningProcess).where(RunningProcess.seen_at < now - KEPT))


def note_ended(session: Session, name: str) -> None:
    session.execute(delete(RunningProcess).where(RunningProcess.name == name))


def running(session: Session, now: datetime, is_dead: Callable[[str], bool]) -> list[Running]:
    """The processes that stored their row lately and are not known to have died, sorted by name."""
    lately = RunningProcess.seen_at.between(now - SEEN, now + CLOCKS_APART)
    rows = session.scalars(select(RunningProcess).where(lately).order_by(RunningProcess.name))
    return [
        Running(row.name, row.parts, row.policy_version, row.policy_problem, row.works)
        for row in rows
        if not is_dead(row.name)
    ]
