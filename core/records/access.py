"""Tokens of the HTTP API: a bearer token per sender."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base, big_id


class ApiToken(Base):
    """An API token. The token itself is shown once, when it is created; only its SHA-256 is stored, so a copy of the
    database gives no access. A revoked token's row stays, so that its name and scopes can be looked up."""

    __tablename__ = "api_token"

    id: Mapped[int] = big_id()
    name: Mapped[str] = mapped_column(unique=True)
    digest: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[str]  # words of `Scope`, separated by blanks
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id"))  # None: for every queue
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]  # precise to the minute
    revoked_at: Mapped[datetime | None]
