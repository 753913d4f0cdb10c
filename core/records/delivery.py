"""What has to be said, as rows."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base, big_id
from core.vocabulary import Audience, Card


class Posting(Base):
    """A Slack message that must show the present state of a row. `shown` only grows; `wanted > shown` means: draw it.
    The one place where Slack's coordinates (`channel`, `ts`) are stored, as opaque strings."""

    __tablename__ = "posting"
    __table_args__ = (
        UniqueConstraint("card", "subject_id", "audience"),
        UniqueConstraint("channel", "ts"),
        Index("ix_posting_due", "urgent", "next_try_at", postgresql_where=text("wanted > shown AND broken = ''"),
              sqlite_where=text("wanted > shown AND broken = ''")),
        Index("ix_posting_claimed", "claimed_until", postgresql_where=text("claimed_until IS NOT NULL"),
              sqlite_where=text("claimed_until IS NOT NULL")),
        Index("ix_posting_broken", "channel", "broken", postgresql_where=text("broken != ''"),
              sqlite_where=text("broken != ''")),
    )  # fmt: skip

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    card: Mapped[Card]
    subject_id: Mapped[int]
    audience: Mapped[Audience]
    channel: Mapped[str]
    ts: Mapped[str | None]
    wanted: Mapped[int] = mapped_column(default=1)
    shown: Mapped[int] = mapped_column(default=0)
    wanted_at: Mapped[datetime | None]  # since when it waits; None: since before this was noted
    urgent: Mapped[bool] = mapped_column(default=False)
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    unconfirmed: Mapped[bool] = mapped_column(default=False)  # a first post was begun and its outcome never stored
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    broken: Mapped[str] = mapped_column(default="")  # why delivery gave up


class Notice(Base):
    """A one-off message to one person or channel. `key` makes it once only."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_due", "next_try_at", postgresql_where=text("delivered_at IS NULL AND broken = ''"),
              sqlite_where=text("delivered_at IS NULL AND broken = ''")),
        Index("ix_notice_claimed", "claimed_until", postgresql_where=text("claimed_until IS NOT NULL"),
              sqlite_where=text("claimed_until IS NOT NULL")),
        Index("ix_notice_broken", "channel", "broken", postgresql_where=text("broken != ''"),
              sqlite_where=text("broken != ''")),
    )  # fmt: skip

    id: Mapped[int] = big_id()
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]  # of `NoticeKind`
    channel: Mapped[str]
    person: Mapped[str | None]  # only this person sees it; None: the whole channel
    values: Mapped[dict[str, Any]]  # of its sentence
    created_at: Mapped[datetime]
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    unconfirmed: Mapped[bool | None]  # saying it was begun and its outcome never stored
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    broken: Mapped[str] = mapped_column(default="")


class Incident(Base):
    """Something that somebody has to mend before Slack takes our messages: one row from its first refusal to its end,
    so that people are told of it once and it is asked for again only now and then."""

    __tablename__ = "trouble"
    __table_args__ = (
        Index("uq_trouble_open", "channel", "reason", unique=True, postgresql_where=text("mended_at IS NULL"),
              sqlite_where=text("mended_at IS NULL")),
    )  # fmt: skip

    id: Mapped[int] = big_id()
    channel: Mapped[str]  # empty: the whole workspace
    reason: Mapped[str]
    since: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    held_until: Mapped[datetime | None]  # nothing is said there before; None: it stops single messages only
    posts_only: Mapped[bool] = mapped_column(default=True)  # what is there already can still be redrawn
    mended_at: Mapped[datetime | None]


class Turn(Base):
    """Who may do what only one process may do at a time: one row per such thing."""

    __tablename__ = "turn"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    until: Mapped[datetime]
