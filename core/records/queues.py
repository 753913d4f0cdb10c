"""Queues as rows, to which other rows refer. Their rules are in the policy file."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base, big_id
from core.vocabulary import Role


class Queue(Base):
    __tablename__ = "queue"

    id: Mapped[int] = big_id()
    name: Mapped[str] = mapped_column(unique=True)
    channel: Mapped[str]
    leads_channel: Mapped[str]
    guideline_version: Mapped[int] = mapped_column(default=0)
    cards_policy_fingerprint: Mapped[str] = mapped_column(default="", server_default="")  # for open cards
    paused_at: Mapped[datetime | None]  # since then no new cards are posted
    created_at: Mapped[datetime]


class QueueRow(Protocol):
    """The facts about a queue that most functions need, whether it was read as a record or, where a click waits, as
    values."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def leads_channel(self) -> str: ...
    @property
    def guideline_version(self) -> int: ...


@dataclass(frozen=True)
class QueueFacts:
    """A queue as values."""

    id: int
    name: str
    channel: str
    leads_channel: str
    guideline_version: int


class Guideline(Base):
    """The instructions of a queue. Each change is a new version; votes store the version that was in force."""

    __tablename__ = "guideline"
    __table_args__ = (UniqueConstraint("queue_id", "version"),)

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    version: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class Member(Base):
    """A person's role in a queue: a copy of the policy's lists (or of the channel's members) and of Slack's data about
    these people, refreshed by a job. The check at each click reads these rows and never asks Slack."""

    __tablename__ = "member"
    __table_args__ = (UniqueConstraint("queue_id", "person", "role"),)

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    person: Mapped[str] = mapped_column(index=True)  # Slack's user id, opaque here
    role: Mapped[Role]
    active: Mapped[bool] = mapped_column(default=True)
    inactive_because: Mapped[str] = mapped_column(default="")  # a word of `InactiveReason`; empty: the person may act


class GroupMember(Base):
    """A member of a Slack user group that the policy names, as last read. Members keep their roles while Slack does not
    answer."""

    __tablename__ = "group_member"
    __table_args__ = (UniqueConstraint("group_id", "person"),)

    id: Mapped[int] = big_id()
    group_id: Mapped[str]
    person: Mapped[str]
