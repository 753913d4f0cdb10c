"""A model beside the one that answers: a candidate in shadow, and what such models said."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base


class Shadow(Base):
    """The time in which a candidate predicts beside the live model. Its report is stored when it ends."""

    __tablename__ = "shadow"

    model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"), primary_key=True)
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"), index=True)
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    done_up_to: Mapped[int] = mapped_column(BigInteger)  # predictions up to this id have been looked at
    finished_at: Mapped[datetime | None]
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)  # of `ShadowReport`; empty until it has finished


class ParallelPrediction(Base):
    """What a model said about a prediction that another model answered. It holds no text, and goes when the text of the
    prediction is erased."""

    __tablename__ = "parallel_prediction"

    model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"), primary_key=True)
    prediction_id: Mapped[int] = mapped_column(ForeignKey("prediction.id"), primary_key=True, index=True)
    label: Mapped[str]
    confidence: Mapped[float]
    created_at: Mapped[datetime]
