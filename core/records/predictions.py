"""Predictions of a model about inputs, and their flags."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.records.base import Base, big_id
from core.vocabulary import WaitState


class Prediction(Base):
    """The answer of a model to an input. External id and model version together are unique: sent twice, they are the
    same row."""

    __tablename__ = "prediction"
    __table_args__ = (
        UniqueConstraint("queue_id", "external_id", "model_version"),
        Index("ix_prediction_queue_id_created_at", "queue_id", "created_at"),
        Index("ix_prediction_traffic", "queue_id", "model_version", "created_at", "label", "lot_probability",
              "flag_probability"),
        Index("ix_prediction_unguessed", "queue_id", postgresql_where=text("label IS NULL"),
              sqlite_where=text("label IS NULL")),
        Index("ix_prediction_image_url", "queue_id", "image_url", postgresql_where=text("image_url IS NOT NULL"),
              sqlite_where=text("image_url IS NOT NULL")),
        Index("ix_prediction_erased", "queue_id", "external_id", postgresql_where=text("erased_at IS NOT NULL"),
              sqlite_where=text("erased_at IS NOT NULL")),
        Index("ix_prediction_erased_content", "queue_id", "content_hash",
              postgresql_where=text("erased_at IS NOT NULL"), sqlite_where=text("erased_at IS NOT NULL")),
        # Most queries are about the newest rows, and PostgreSQL counts rows by an index alone only after a vacuum. By
        # default it would wait for that until a fifth of the rows is new.
        {"postgresql_with": {"autovacuum_vacuum_insert_scale_factor": 0,
                             "autovacuum_vacuum_insert_threshold": 10_000}},
    )  # fmt: skip

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    external_id: Mapped[str]
    model_version: Mapped[str]
    text: Mapped[str] = mapped_column(Text, default="")
    image_url: Mapped[str | None]  # a web address, or the address of a stored picture (core/text/picture_address.py)
    group: Mapped[str | None]  # the source of the input: a patient, a customer, a conversation
    link: Mapped[str | None]  # to the input in the sender's system, such as a viewer; None: the policy's link
    fields: Mapped[dict[str, str]]
    label: Mapped[str | None]  # None: no model was live when a person flagged the text
    confidence: Mapped[float | None]
    probabilities: Mapped[dict[str, float] | None]
    suspicion: Mapped[float | None]  # in [0, 1], on the model's scale; None: the sender's own model answered
    content_hash: Mapped[str]
    # Probabilities of the draw when the prediction came; a person's report changes neither. Both are 0 for a prediction
    # that came by such a report. Under a budget, `flag_probability` becomes 1 when the prediction is opened for a rule.
    lot_probability: Mapped[float] = mapped_column(default=0.0)  # of being drawn for the audit
    flag_probability: Mapped[float] = mapped_column(default=0.0)  # of being sent to people, by a rule or the audit
    held_back_probability: Mapped[float] = mapped_column(default=0.0)  # of being kept from training, if reviewed
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]  # since then without text, image, link and fields; its id prevents a new import

    flags: Mapped[list["Flag"]] = relationship(back_populates="prediction", order_by="Flag.id")


class UnknownLabel(Base):
    """A label outside the policy, and how many predictions were rejected because of it. The rejected predictions are
    not stored."""

    __tablename__ = "unknown_label"
    __table_args__ = (UniqueConstraint("queue_id", "label"),)

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    label: Mapped[str]
    rows: Mapped[int]
    last_at: Mapped[datetime]


class Flag(Base):
    """One reason why a prediction was sent to people."""

    __tablename__ = "flag"
    __table_args__ = (
        UniqueConstraint("prediction_id", "reason"),
        Index("ix_flag_audit", "prediction_id", postgresql_where=text("reason = 'audit'"),
              sqlite_where=text("reason = 'audit'")),
    )  # fmt: skip

    id: Mapped[int] = big_id()
    prediction_id: Mapped[int] = mapped_column(ForeignKey("prediction.id"))
    reason: Mapped[str]  # a word of `Reason`
    values: Mapped[dict[str, Any]]  # of the reason's sentence
    inclusion_probability: Mapped[float]  # the probability with which such a prediction is flagged for this reason
    person: Mapped[str | None]  # the person who flagged it, if one did
    policy_fingerprint: Mapped[str]
    created_at: Mapped[datetime]

    prediction: Mapped[Prediction] = relationship(back_populates="flags")


class FlagCut(Base):
    """The lowest score at which a queue with a budget flags predictions. The row is locked while the budget is
    spent."""

    __tablename__ = "flag_cut"

    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"), primary_key=True)
    model_version: Mapped[str]  # the model whose scores `cut` is for
    cut: Mapped[float]  # for predictions of that model
    others_cut: Mapped[float]  # for predictions of other models, whose scores have other scales
    budget_cut: Mapped[float]  # the budget's alone; `cut` is lower if a promise needs more and a lead agreed
    scores: Mapped[int]  # the number of scores from which the cut was computed
    volume: Mapped[int | None]  # predictions expected today; None: not known yet
    policy_fingerprint: Mapped[str]
    made_at: Mapped[datetime]


class WaitingPrediction(Base):
    """A prediction that should be reviewed for a reason and waits for room in the day's budget, or the outcome of that
    wait."""

    __tablename__ = "waiting_prediction"
    __table_args__ = (
        UniqueConstraint("prediction_id", "reason"),
        Index("ix_waiting_prediction_line", "queue_id", "ended_at", "score"),
    )

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    prediction_id: Mapped[int] = mapped_column(ForeignKey("prediction.id"))
    reason: Mapped[str]  # a word of `Reason`
    values: Mapped[dict[str, Any]]  # of the reason's sentence
    score: Mapped[float]  # the suspicion, in [0, 1]
    scored_by: Mapped[str | None]  # the model of Goldloop that gave the score; None: the sender's own model
    state: Mapped[WaitState]
    came_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]  # None: it waits
