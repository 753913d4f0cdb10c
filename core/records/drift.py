"""The daily readings of a queue, and its drift alarms."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base, big_id


class DailyReading(Base):
    """The counts of one day in the queue's time zone; a row counts for the day on which it came. Holds no text."""

    __tablename__ = "daily_reading"

    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"), primary_key=True)
    began_at: Mapped[datetime] = mapped_column(primary_key=True)
    rows: Mapped[int]
    model: Mapped[str | None]  # the model that answered most rows; None: no row came
    none_of_these: Mapped[int]
    settled: Mapped[dict[str, int]]  # settled rows by the label that the model gave
    wrong: Mapped[dict[str, int]]  # the wrong ones among `settled`, by the same label
    confidences: Mapped[dict[str, int]]  # rows by twentieth of confidence, "0" to "19"
    looked_at: Mapped[datetime | None]  # when it was compared with the days before


class DriftAlarm(Base):
    """A drift alarm: a day on which a reading differed from the days before by more than chance. Never changed."""

    __tablename__ = "drift_alarm"
    __table_args__ = (UniqueConstraint("queue_id", "began_at"),)

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    began_at: Mapped[datetime]  # the last day of the compared windows
    signs: Mapped[list[dict[str, Any]]]  # the fields of each `Drift`, the most certain first
    labels: Mapped[dict[str, str]] = mapped_column(default=dict)  # label that the model gives -> sign about it
    run_id: Mapped[int | None] = mapped_column(ForeignKey("training_run.id"))  # the run that the alarm requested
    policy_fingerprint: Mapped[str]
    created_at: Mapped[datetime]
