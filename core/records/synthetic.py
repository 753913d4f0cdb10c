"""Batches of texts that a language model wrote for a label, the calls to the model, and the texts."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.records.base import Base, big_id
from core.records.queues import Queue
from core.vocabulary import SyntheticState

_UNFINISHED = "state IN ('requested', 'sampled')"


class SyntheticBatch(Base):
    """A request for texts. A queue has at most one batch at a time that is being written or judged."""

    __tablename__ = "synthetic_batch"
    __table_args__ = (
        Index("uq_synthetic_batch_unfinished", "queue_id", unique=True, postgresql_where=text(_UNFINISHED),
              sqlite_where=text(_UNFINISHED)),
    )  # fmt: skip

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    label: Mapped[str]
    mistaken_for: Mapped[str | None]  # the label that the model gives instead; None: any
    target: Mapped[str] = mapped_column(Text)  # a person's description of the texts; empty: texts of the label
    language: Mapped[str]  # ISO 639-1; empty: the queue's
    state: Mapped[SyntheticState]
    address: Mapped[str]  # the endpoint's address in the policy at that time
    model: Mapped[str]  # the language model
    prompt_version: Mapped[str]
    plan: Mapped[dict[str, Any]]  # the planned examples (ids of corrections), calls, tokens, money
    counts: Mapped[dict[str, int]]  # written, kept, asked, settled, confirmed, and per guard; empty: not written yet
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    written_at: Mapped[datetime | None]  # when the guards had judged it
    decided_at: Mapped[datetime | None]  # when it was admitted, refused, failed or retired
    retired_by: Mapped[str | None]
    problem: Mapped[str]  # a word of `BatchProblem`; empty: there is none
    problem_values: Mapped[dict[str, Any]]
    policy_fingerprint: Mapped[str]

    queue: Mapped[Queue] = relationship(lazy="joined", innerjoin=True)


class SyntheticCall(Base):
    """A call to the language model, stored before it is made, so that its content is known even if the process dies."""

    __tablename__ = "synthetic_call"
    __table_args__ = (UniqueConstraint("batch_id", "position"),)

    id: Mapped[int] = big_id()
    batch_id: Mapped[int] = mapped_column(ForeignKey("synthetic_batch.id"))
    position: Mapped[int]
    sent: Mapped[dict[str, Any]]  # {"hashes": [...]}: hashes of the contents in the prompt
    sent_tokens: Mapped[int]  # estimated, an upper bound
    answer: Mapped[str] = mapped_column(Text)  # verbatim; empty: no answer came, or it was erased
    problem: Mapped[str]  # a word of `CallProblem`; empty: there is none
    tokens_in: Mapped[int | None]  # as counted by the other side; None: it gave no number
    tokens_out: Mapped[int | None]
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class SyntheticText(Base):
    """A text of a batch, or the guard that dropped it. Only a kept row has its text stored."""

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
    dropped_because: Mapped[str]  # a word of `Guard`; empty: the text is kept
    erased_at: Mapped[datetime | None]

    batch: Mapped[SyntheticBatch] = relationship(lazy="joined", innerjoin=True)
