"""Columns of rows that one process at a time works on. The verbs are in core/storage/leases.py."""

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base


class Leased:
    """At most one process works on such a row: `leased_by`, until `leased_until` or until it releases the row."""

    leased_by: Mapped[str | None]
    leased_until: Mapped[datetime | None]


class Retried(Leased):
    """A row whose work may fail: it is tried again, later each time, and given up after some attempts.

    `attempts` counts since the last success. `failure_reason` says why the row was given up; where a `state` says that,
    why the last attempt failed.
    """

    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]
    failure_reason: Mapped[str] = mapped_column(Text, default="")


class Lease(Leased, Base):
    """What only one process does at a time, by name: "delivery to Slack"."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(primary_key=True)


class RunningProcess(Base):
    """A process of Goldloop that runs, as it says itself every few seconds."""

    __tablename__ = "running_process"

    name: Mapped[str] = mapped_column(primary_key=True)
    parts: Mapped[str]  # what it does, in words
    works: Mapped[bool]  # it has the worker, which sends to Slack and trains
    policy_version: Mapped[int]  # which it decides by
    policy_problem: Mapped[str] = mapped_column(Text)  # why not by a newer one; empty: nothing keeps it from that
    seen_at: Mapped[datetime]
