"""Messages to be delivered to Slack, and the incidents that block them, as rows."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base, big_id
from core.records.leased import Retried

DUE = "requested_version > delivered_version AND failure_reason = ''"


class Posting(Retried, Base):
    """A Slack message that must show the present state of a row: it is drawn while `requested_version` is above
    `delivered_version`, which only grows. The one place where Slack's coordinates (`channel`, `ts`) are stored, as
    opaque strings."""

    __tablename__ = "posting"
    __table_args__ = (
        UniqueConstraint("card", "subject_id", "recipient"),
        UniqueConstraint("channel", "ts"),
        Index("ix_posting_due", "urgent", "next_attempt_at", postgresql_where=text(DUE), sqlite_where=text(DUE)),
        Index("ix_posting_leased", "leased_until", postgresql_where=text("leased_until IS NOT NULL"),
              sqlite_where=text("leased_until IS NOT NULL")),
        Index("ix_posting_given_up", "channel", "failure_reason", postgresql_where=text("failure_reason != ''"),
              sqlite_where=text("failure_reason != ''")),
    )  # fmt: skip

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    card: Mapped[str] = mapped_column(String(32))  # a word of `Card`; a newer release may have stored another one
    subject_id: Mapped[int]
    recipient_kind: Mapped[str] = mapped_column(String(32))  # a word of `RecipientKind`, likewise
    recipient: Mapped[str]  # Slack's id of a channel or person; ids of the two are never equal
    channel: Mapped[str]  # the channel of the message, or the one to post it to
    ts: Mapped[str | None]
    requested_version: Mapped[int] = mapped_column(default=1)
    delivered_version: Mapped[int] = mapped_column(default=0)
    requested_at: Mapped[datetime | None]  # when it began to wait; None: before this column existed
    urgent: Mapped[bool] = mapped_column(default=False)
    unconfirmed: Mapped[bool] = mapped_column(default=False)  # a first post was begun, its outcome never stored


class Notice(Retried, Base):
    """A one-off message to one person or channel. The unique `key` keeps it from being created twice."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_due", "next_attempt_at", postgresql_where=text("delivered_at IS NULL AND failure_reason = ''"),
              sqlite_where=text("delivered_at IS NULL AND failure_reason = ''")),
        Index("ix_notice_leased", "leased_until", postgresql_where=text("leased_until IS NOT NULL"),
              sqlite_where=text("leased_until IS NOT NULL")),
        Index("ix_notice_given_up", "channel", "failure_reason", postgresql_where=text("failure_reason != ''"),
              sqlite_where=text("failure_reason != ''")),
    )  # fmt: skip

    id: Mapped[int] = big_id()
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]  # a word of `NoticeKind`
    channel: Mapped[str]
    person: Mapped[str | None]  # only this person sees it; None: the whole channel
    values: Mapped[dict[str, Any]]  # the values in its sentence
    created_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    unconfirmed: Mapped[bool | None]  # the delivery was begun, but its outcome was never stored


class Incident(Base):
    """A reason for which Slack refuses messages: one row from the first refusal until it is resolved, so that people
    are told once, and delivery is tried again only now and then."""

    __tablename__ = "incident"
    __table_args__ = (
        Index("uq_incident_open", "channel", "reason", unique=True, postgresql_where=text("resolved_at IS NULL"),
              sqlite_where=text("resolved_at IS NULL")),
    )  # fmt: skip

    id: Mapped[int] = big_id()
    channel: Mapped[str]  # empty: the whole workspace
    reason: Mapped[str]
    since: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    held_until: Mapped[datetime | None]  # nothing is delivered there before; None: only single messages are refused
    posts_only: Mapped[bool] = mapped_column(default=True)  # messages that are there already can still be updated
    resolved_at: Mapped[datetime | None]
