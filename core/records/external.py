"""Training in a service outside: what was handed out, and what the service submitted."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base


class HandOut(Base):
    """A snapshot that was handed out to a service, for whose answers its run waits. It takes one submission."""

    __tablename__ = "hand_out"

    run_id: Mapped[int] = mapped_column(ForeignKey("training_run.id"), primary_key=True)
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshot.id"), unique=True)
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"), index=True)
    labels: Mapped[dict[str, Any]]  # {"names": [...]}, those of the policy at that time, in its order
    handed_out_at: Mapped[datetime]
    due_at: Mapped[datetime]
    version: Mapped[str | None]  # as the service calls its model; None: it has not submitted
    digest: Mapped[str | None]  # SHA-256 of the submission: the same one again is no second one
    submitted_at: Mapped[datetime | None]


class SubmittedAnswer(Base):
    """What a service answers to one golden input. It is deleted when the example is erased."""

    __tablename__ = "submitted_answer"

    run_id: Mapped[int] = mapped_column(ForeignKey("hand_out.run_id"), primary_key=True)
    content_hash: Mapped[str] = mapped_column(primary_key=True)
    probabilities: Mapped[dict[str, float]]  # by label
