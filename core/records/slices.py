"""Weak slices that were found, and the leads' requests to have people asked about them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.records.base import Base, Json, big_id
from core.records.queues import Queue
from core.vocabulary import SliceKind


class FoundSlice(Base):
    """A part of a queue's traffic in which a model is wrong more often than elsewhere, with the numbers of the newest
    search that found it. Its value, or its term, is in at least 30 settled rows."""

    __tablename__ = "weak_slice"
    __table_args__ = (UniqueConstraint("queue_id", "model_version", "key"),)

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    model_version: Mapped[str]  # the model whose answers are wrong
    key: Mapped[str]  # a hash of the next four columns
    kind: Mapped[SliceKind]
    name: Mapped[str] = mapped_column(Text)
    value: Mapped[str] = mapped_column(Text)
    other: Mapped[str] = mapped_column(Text)
    rows: Mapped[int]
    wrong: Mapped[int]
    others: Mapped[float]
    p_value: Mapped[float]
    whys: Mapped[dict[str, int]]
    missed: Mapped[str | None]  # the label on which people settled the wrong answers most often
    familiar: Mapped[list[int]] = mapped_column(Json)  # checksums of familiar words, for a slice of texts without them
    is_weak: Mapped[bool]  # whether the newest search found it
    found_at: Mapped[datetime]  # the time of the first search that found it

    queue: Mapped[Queue] = relationship(lazy="joined", innerjoin=True)


class SliceRequest(Base):
    """A lead's request to have people asked about a weak slice. It may be complete before it is ended:
    core/intake/weak_slices.py."""

    __tablename__ = "slice_request"
    __table_args__ = (
        Index("uq_slice_request_open", "slice_id", unique=True, postgresql_where=text("ended_at IS NULL"),
              sqlite_where=text("ended_at IS NULL")),
        Index("ix_slice_request_open", "queue_id", postgresql_where=text("ended_at IS NULL"),
              sqlite_where=text("ended_at IS NULL")),
    )  # fmt: skip

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    slice_id: Mapped[int] = mapped_column(ForeignKey("weak_slice.id"))
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    opened: Mapped[int]  # the number of items opened for it so far
    ended_by: Mapped[str | None]  # the person who took it back; None: it ended by itself
    ended_at: Mapped[datetime | None]
    policy_fingerprint: Mapped[str]

    found: Mapped[FoundSlice] = relationship(lazy="joined", innerjoin=True)
