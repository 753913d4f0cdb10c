"""Models that predict beside the answering model: shadows, canaries, and their predictions."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base
from core.vocabulary import CanaryState


class Shadow(Base):
    """A period in which a candidate predicts beside the live model. Its report is stored at its end."""

    __tablename__ = "shadow"

    model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"), primary_key=True)
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"), index=True)
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    done_up_to: Mapped[int] = mapped_column(BigInteger)  # predictions up to this id were processed
    finished_at: Mapped[datetime | None]
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)  # fields of `ShadowReport`; empty until it is over


class Canary(Base):
    """A promoted model that answers a share of the callers at first. share, alpha, looks: those of the policy when the
    canary began. n, regressions, improvements: as of the last look."""

    __tablename__ = "canary"
    __table_args__ = (
        Index("uq_canary_unfinished", "queue_id", unique=True, postgresql_where=text("finished_at IS NULL"),
              sqlite_where=text("finished_at IS NULL")),
    )  # fmt: skip

    model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"), primary_key=True)
    former_model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"))
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    state: Mapped[CanaryState]
    share: Mapped[float]
    alpha: Mapped[float]
    looks: Mapped[int]
    looks_taken: Mapped[int]
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    first_after: Mapped[int] = mapped_column(BigInteger)  # only predictions with larger ids count
    done_up_to: Mapped[int] = mapped_column(BigInteger)  # both models have predicted up to this id
    n: Mapped[int]
    regressions: Mapped[int]
    improvements: Mapped[int]
    finished_at: Mapped[datetime | None]


class ParallelPrediction(Base):
    """The prediction of one model for an input that another model answered. It holds no text, and is deleted when the
    text of that prediction is erased."""

    __tablename__ = "parallel_prediction"

    model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"), primary_key=True)
    prediction_id: Mapped[int] = mapped_column(ForeignKey("prediction.id"), primary_key=True, index=True)
    label: Mapped[str]
    confidence: Mapped[float]
    created_at: Mapped[datetime]
