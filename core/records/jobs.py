"""Jobs and schedules as rows: a job is claimed, renewed and finished; a schedule remembers its last slot."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base, big_id
from core.records.leased import Retried


class Job(Retried, Base):
    """A job. `attempts` is counted up when the job is claimed. It is also the fencing token: a worker that lost the
    lease cannot finish the job."""

    __tablename__ = "job"
    __table_args__ = (
        Index("uq_job_mutex_running", "mutex", unique=True, postgresql_where=text("state = 'running'"),
              sqlite_where=text("state = 'running'")),
        Index("ix_job_ready", "priority", "next_attempt_at", "id", postgresql_where=text("state = 'ready'"),
              sqlite_where=text("state = 'ready'")),
    )  # fmt: skip

    id: Mapped[int] = big_id()
    name: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)  # such as "cron:support@2026-11-24T03:00Z": one row per slot
    mutex: Mapped[str | None]  # at most one running row per mutex
    payload: Mapped[dict[str, Any]]
    state: Mapped[str]  # ready, running, done or dead
    priority: Mapped[int] = mapped_column(default=0)  # lower goes first
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("job.id"), index=True)
    shard: Mapped[int | None]  # the number of this part of the parent's work, from 0
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)  # done, total, code; empty: nothing was reported


class Schedule(Base):
    __tablename__ = "schedule"

    name: Mapped[str] = mapped_column(primary_key=True)
    last_slot: Mapped[datetime]
