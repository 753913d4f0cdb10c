"""Batches of texts that a language model wrote for a label, the calls that were made, and the texts."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.records.base import Base, big_id
from core.records.queues import Queue
from core.vocabulary import SyntheticState

_UNFINISHED = "state IN ('requested', 'sampled')"


class SyntheticBatch(Base):
    """A request for texts. A queue has one at a time that is written or judged."""

    __tablename__ = "synthetic_batch"
    __table_args__ = (
        Index("uq_synthetic_batch_unfinished", "queue_id", unique=True, postgresql_where=text(_UNFINISHED),
              sqlite_where=text(_UNFINISHED)),
    )  # fmt: skip

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    label: Mapped[str]
    mistaken_for: Mapped[str | None]  # the label that the model gives instead; None: any
    target: Mapped[str] = mapped_column(Text)  # what the texts are to be, in a person's words; empty: of the label
    language: Mapped[str]  # ISO 639-1; empty: the queue's
    state: Mapped[SyntheticState]
    address: Mapped[str]  # of the endpoint, as the policy had it
    model: Mapped[str]  # the language model
    prompt_version: Mapped[str]
    plan: Mapped[dict[str, Any]]  # examples (ids of corrections), calls, tokens, money
    counts: Mapped[dict[str, int]]  # written, kept, asked, settled, confirmed, and each guard's; empty: not written yet
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    written_at: Mapped[datetime | None]  # the guards have judged it
    decided_at: Mapped[datetime | None]  # admitted, refused, failed or retired
    retired_by: Mapped[str | None]
    problem: Mapped[str]  # of `BatchProblem`; empty: there is none
    problem_values: Mapped[dict[str, Any]]
    policy_fingerprint: Mapped[str]

    queue: Mapped[Queue] = relationship(lazy="joined", innerjoin=True)


class SyntheticCall(Base):
    """A call to the language model, stored before it is made: what it sent stays known if the process dies."""

    __tablename__ = "synthetic_call"
    __table_args__ = (UniqueConstraint("batch_id", "position"),)

    id: Mapped[int] = big_id()
    batch_id: Mapped[int] = mapped_column(ForeignKey("synthetic_batch.id"))
    position: Mapped[int]
    sent: Mapped[dict[str, Any]]  # {"hashes": [...]}, of the contents in the prompt
    sent_tokens: Mapped[int]  # about, from above
    answer: Mapped[str] = mapped_column(Text)  # verbatim; empty: none came, or it was erased
    problem: Mapped[str]  # of `CallProblem`; empty: there is none
    tokens_in: Mapped[int | None]  # as the other side counts; None: it did not say
    tokens_out: Mapped[int | None]
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class SyntheticText(Base):
    """A text of a batch, with the guard that dropped it. Only what is kept has a text."""

    __tablename__ = "synthetic_text"
    __table_args__ = (
        UniqueConstraint("batch_id", "content_hash"),
        Index("ix_synthetic_text_queue_id_content_hash", "queue_id", "content_hash"),
    )

    id: Mapped[int] = big_id()
    batch_id: Mapped[int] = mapped_column(ForeignKey("synthetic_batch.id"))
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    text: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str]
    dropped_because: Mapped[str]  # of `Guard`; empty: it is kept
    erased_at: Mapped[datetime | None]

    batch: Mapped[SyntheticBatch] = relationship(lazy="joined", innerjoin=True)
