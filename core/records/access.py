"""Tokens of the HTTP API: a bearer token per sender."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base, big_id


class ApiToken(Base):
    """The token itself is shown once, when it is made; here is its SHA-256 alone, so a copy of the database opens
    nothing. A revoked token stays, so that it can be said what it was."""

    __tablename__ = "api_token"

    id: Mapped[int] = big_id()
    name: Mapped[str] = mapped_column(unique=True)
    digest: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[str]  # words of `Scope`, by blanks
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id"))  # None: every queue
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]  # to the minute
    revoked_at: Mapped[datetime | None]
