"""The versions of the policy."""

from datetime import datetime

from sqlalchemy import Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base, big_id


class PolicyVersion(Base):
    """A policy that was put in force; the highest version is in force. Its rules never change: only the id of a person
    who has left becomes a pseudonym in `text` (core/privacy/departed.py)."""

    __tablename__ = "policy_version"
    __table_args__ = (UniqueConstraint("version"),)

    id: Mapped[int] = big_id()
    version: Mapped[int]  # 1, 2, 3, …
    text: Mapped[str] = mapped_column(Text)  # in the form that core/policy/canonical.py writes
    fingerprint: Mapped[str]  # the fingerprint of `text` when it was stored
    queues: Mapped[dict[str, str]]  # queue name -> its fingerprint then, as flags, corrections and runs store it
    stored_at: Mapped[datetime]
    stored_by: Mapped[str]
