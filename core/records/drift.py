"""The daily readings of a queue, and its drift alarms."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base, big_id


class DailyReading(Base):
    """The counts of one day of the queue's time zone, all by the day on which a row came. Holds no text."""

    __tablename__ = "daily_reading"

    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"), primary_key=True)
    began_at: Mapped[datetime] = mapped_column(primary_key=True)
    rows: Mapped[int]
    model: Mapped[str | None]  # that answered most of them; None: nothing came
    none_of_these: Mapped[int]
    settled: Mapped[dict[str, int]]  # by the label that the model gave
    wrong: Mapped[dict[str, int]]  # of these
    confidences: Mapped[dict[str, int]]  # rows by twentieth of confidence, "0" to "19"
    looked_at: Mapped[datetime | None]  # when it was compared with the days before


class DriftAlarm(Base):
    """A drift alarm: a day on which a reading differed from the days before by more than chance. Never changed."""

    __tablename__ = "drift_alarm"
    __table_args__ = (UniqueConstraint("queue_id", "began_at"),)

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    began_at: Mapped[datetime]  # of the last day of the windows
    signs: Mapped[list[dict[str, Any]]]  # each of `Drift`, the most certain first
    labels: Mapped[dict[str, str]] = mapped_column(default=dict)  # label that the model gives -> sign that is about it
    run_id: Mapped[int | None] = mapped_column(ForeignKey("training_run.id"))  # that it asked for
    policy_fingerprint: Mapped[str]
    created_at: Mapped[datetime]
