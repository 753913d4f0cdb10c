"""Columns of rows on which one process at a time works. The functions are in core/storage/leases.py."""

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base


class Leased:
    """At most one process works on such a row: `leased_by`, until `leased_until` or until it releases the row."""

    leased_by: Mapped[str | None]
    leased_until: Mapped[datetime | None]


class Retried(Leased):
    """A row whose work may fail: it is tried again after growing pauses, and given up after some attempts. `attempts`
    counts the failures since the last success. `failure_reason` is why the row was given up; in a table with a `state`,
    why the last attempt failed.
    """

    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]
    failure_reason: Mapped[str] = mapped_column(Text, default="")


class Lease(Leased, Base):
    """A task that only one process does at a time, by name, such as "delivery to Slack"."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(primary_key=True)


class RunningProcess(Base):
    """A running process of Goldloop, which updates its row every few seconds."""

    __tablename__ = "running_process"

    name: Mapped[str] = mapped_column(primary_key=True)
    parts: Mapped[str]  # the parts of Goldloop that it runs, in words
    works: Mapped[bool]  # whether it has the worker, which sends to Slack and trains
    policy_version: Mapped[int]  # the policy version that it applies
    policy_problem: Mapped[str] = mapped_column(Text)  # why it does not apply the newest version; empty: it does
    seen_at: Mapped[datetime]
