"""Stored pictures."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base, big_id


class PictureSet(Base):
    """A picture of an input that has several pictures. The address of such an input is not that of any single picture,
    so this row leads from a picture to the inputs that need it."""

    __tablename__ = "picture_set"
    __table_args__ = (
        UniqueConstraint("queue_id", "sha256", "address"),
        Index("ix_picture_set_address", "queue_id", "address"),
    )

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    sha256: Mapped[str]  # the hash of one of the pictures
    address: Mapped[str]  # the address of the whole set


class Picture(Base):
    """A picture from a sender, stored once per queue: the display picture, and the grey values that models read. The
    original is not kept. Inputs refer to the picture by its address (core/text/picture_address.py)."""

    __tablename__ = "picture"
    __table_args__ = (
        UniqueConstraint("queue_id", "sha256"),
        Index("ix_picture_erased_at", "erased_at", postgresql_where=text("erased_at IS NOT NULL"),
              sqlite_where=text("erased_at IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    sha256: Mapped[str]  # the hash of the decoded pixels
    content: Mapped[bytes] = mapped_column(LargeBinary)  # the display picture, a PNG
    grey: Mapped[bytes] = mapped_column(LargeBinary)  # 64 x 64 bytes, row by row
    width: Mapped[int]  # of the original picture, in pixels
    height: Mapped[int]
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]  # since then without pixels; the row is deleted after its file in Slack
    file_id: Mapped[str | None]  # Slack's id of the file; None: not uploaded
    upload_began_at: Mapped[datetime | None]  # since then the file may be in Slack although its id is not stored
    file_ready_at: Mapped[datetime | None]  # since then messages may show it
