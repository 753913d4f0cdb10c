"""Training in an external service: the hand-outs of snapshots, and the answers that the service submitted."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base


class HandOut(Base):
    """A snapshot that was handed out to a service. Its training run waits for the service's answers; it takes one
    submission."""

    __tablename__ = "hand_out"

    run_id: Mapped[int] = mapped_column(ForeignKey("training_run.id"), primary_key=True)
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshot.id"), unique=True)
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"), index=True)
    labels: Mapped[dict[str, Any]]  # {"names": [...]}: the policy's labels at that time, in its order
    handed_out_at: Mapped[datetime]
    due_at: Mapped[datetime]
    version: Mapped[str | None]  # the service's name for its model; None: it has not submitted
    digest: Mapped[str | None]  # SHA-256 of the submission, to recognise a repeated one
    submitted_at: Mapped[datetime | None]


class SubmittedAnswer(Base):
    """The answer of a service to one golden input. The row is deleted when the example is erased."""

    __tablename__ = "submitted_answer"

    run_id: Mapped[int] = mapped_column(ForeignKey("hand_out.run_id"), primary_key=True)
    content_hash: Mapped[str] = mapped_column(primary_key=True)
    probabilities: Mapped[dict[str, float]]  # label -> probability
