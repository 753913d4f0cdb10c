"""Webhooks as rows: the event, its delivery to each endpoint, and each attempt."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base, big_id
from core.records.leased import Retried
from core.vocabulary import DeliveryState, EventKind


class Event(Base):
    """An event, written in the transaction that caused it. The unique `key` keeps it from being created twice."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_unaddressed", "id", postgresql_where=text("addressed_at IS NULL"),
              sqlite_where=text("addressed_at IS NULL")),
    )  # fmt: skip

    id: Mapped[int] = big_id()
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[EventKind]
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    addressed_at: Mapped[datetime | None]  # since then it has a delivery for each endpoint that subscribes to it


class EventDelivery(Retried, Base):
    """The delivery of one event to one endpoint of the policy file."""

    __tablename__ = "event_delivery"
    __table_args__ = (
        UniqueConstraint("event_id", "endpoint"),
        Index("ix_event_delivery_due", "next_attempt_at", postgresql_where=text("state = 'pending'"),
              sqlite_where=text("state = 'pending'")),
        Index("ix_event_delivery_leased", "leased_until", postgresql_where=text("leased_until IS NOT NULL"),
              sqlite_where=text("leased_until IS NOT NULL")),
        Index("ix_event_delivery_dead", "endpoint", postgresql_where=text("state = 'dead'"),
              sqlite_where=text("state = 'dead'")),
    )  # fmt: skip

    id: Mapped[int] = big_id()
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    endpoint: Mapped[str]
    state: Mapped[DeliveryState] = mapped_column(default=DeliveryState.PENDING)
    finished_at: Mapped[datetime | None]


class DeliveryAttempt(Base):
    """A row of the delivery log: the outcome of one attempt."""

    __tablename__ = "delivery_attempt"

    id: Mapped[int] = big_id()
    delivery_id: Mapped[int] = mapped_column(ForeignKey("event_delivery.id"), index=True)
    at: Mapped[datetime]
    status: Mapped[int | None]  # None: no answer came
    outcome: Mapped[str]  # in words
    milliseconds: Mapped[int]
