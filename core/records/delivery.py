"""What has to be said, as rows."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base, big_id
from core.vocabulary import Audience, Card, NoticeKind


class Posting(Base):
    """A Slack message that must show the present state of a row. `shown` only grows; `wanted > shown` means: draw it.
    The one place where Slack's coordinates (`channel`, `ts`) are stored, as opaque strings."""

    __tablename__ = "posting"
    __table_args__ = (
        UniqueConstraint("card", "subject_id", "audience"),
        UniqueConstraint("channel", "ts"),
        Index("ix_posting_due", "urgent", "next_try_at", postgresql_where=text("wanted > shown AND broken = ''"),
              sqlite_where=text("wanted > shown AND broken = ''")),
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
    """One-off words to one person or channel. `key` makes it once only."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_due", "next_try_at", postgresql_where=text("delivered_at IS NULL AND broken = ''"),
              sqlite_where=text("delivered_at IS NULL AND broken = ''")),
    )  # fmt: skip

    id: Mapped[int] = big_id()
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[NoticeKind]
    channel: Mapped[str]
    person: Mapped[str | None]  # only this person sees it; None: the whole channel
    words: Mapped[str]
    created_at: Mapped[datetime]
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    broken: Mapped[str] = mapped_column(default="")
