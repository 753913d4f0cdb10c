"""Review items, the answers to them, and the resulting corrections."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.records.base import Base, big_id
from core.records.learning import GoldenExample, SeedExample
from core.records.predictions import Prediction
from core.records.queues import Queue
from core.records.synthetic import SyntheticText
from core.vocabulary import AnswerKind, Destination, ErrorReason, ItemState, QuestionAbout, Settler

CLOCKS_APART = timedelta(days=1)  # by which a correction may seem older than its prediction: clocks differ, and are set


class Reviewer(Base):
    """Settings of a person. Their roles are in `Member`."""

    __tablename__ = "reviewer"

    person: Mapped[str] = mapped_column(primary_key=True)
    paused_at: Mapped[datetime | None]


_ASKED_AGAIN = "about != 'prediction' AND state IN ('open', 'disputed')"


class ReviewItem(Base):
    """A question that people answer. A prediction has at most one item ever, and so has a text that a language model
    wrote. A stored label may be asked about repeatedly, but is in at most one undecided item. core/review/questions.py
    says what an item is about."""

    __tablename__ = "review_item"
    __table_args__ = (
        CheckConstraint(
            "(about = 'synthetic') = (synthetic_id IS NOT NULL) AND ("
            "(about = 'prediction' AND prediction_id IS NOT NULL AND golden_id IS NULL AND seed_id IS NULL) OR "
            "(about = 'golden' AND golden_id IS NOT NULL AND prediction_id IS NULL AND seed_id IS NULL) OR "
            "(about = 'training_row' AND golden_id IS NULL AND (prediction_id IS NULL) != (seed_id IS NULL)) OR "
            "(about = 'synthetic' AND prediction_id IS NULL AND golden_id IS NULL AND seed_id IS NULL))",
            name="about_one_row",
        ),
        Index("ix_review_item_queue_id_state_id", "queue_id", "state", "id"),
        Index("ix_review_item_queue_id_opened_at", "queue_id", "opened_at"),
        Index("uq_review_item_prediction", "prediction_id", unique=True, postgresql_where=text("about = 'prediction'"),
              sqlite_where=text("about = 'prediction'")),
        Index("uq_review_item_prediction_again", "prediction_id", unique=True, postgresql_where=text(_ASKED_AGAIN),
              sqlite_where=text(_ASKED_AGAIN)),
        Index("uq_review_item_golden", "golden_id", unique=True, postgresql_where=text(_ASKED_AGAIN),
              sqlite_where=text(_ASKED_AGAIN)),
        Index("uq_review_item_seed", "seed_id", unique=True, postgresql_where=text(_ASKED_AGAIN),
              sqlite_where=text(_ASKED_AGAIN)),
        Index("ix_review_item_prediction_id", "prediction_id"),
        Index("ix_review_item_closed_for", "closed_for", postgresql_where=text("closed_for IS NOT NULL"),
              sqlite_where=text("closed_for IS NOT NULL")),
        Index("ix_review_item_golden_id", "golden_id", postgresql_where=text("golden_id IS NOT NULL"),
              sqlite_where=text("golden_id IS NOT NULL")),
        Index("ix_review_item_seed_id", "seed_id", postgresql_where=text("seed_id IS NOT NULL"),
              sqlite_where=text("seed_id IS NOT NULL")),
        Index("uq_review_item_synthetic", "synthetic_id", unique=True,
              postgresql_where=text("synthetic_id IS NOT NULL"), sqlite_where=text("synthetic_id IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    about: Mapped[QuestionAbout] = mapped_column(default=QuestionAbout.PREDICTION)
    prediction_id: Mapped[int | None] = mapped_column(ForeignKey("prediction.id"))
    golden_id: Mapped[int | None] = mapped_column(ForeignKey("golden_example.id"))
    seed_id: Mapped[int | None] = mapped_column(ForeignKey("seed_example.id"))
    synthetic_id: Mapped[int | None] = mapped_column(ForeignKey("synthetic_text.id"))
    asked_by: Mapped[str | None]  # the person who asked again about a stored label
    state: Mapped[ItemState] = mapped_column(default=ItemState.OPEN)
    disputed_because: Mapped[str] = mapped_column(default="")  # a word of `DisputeReason`; empty: it is not disputed
    disputed_values: Mapped[dict[str, Any]] = mapped_column(default=dict)
    blind: Mapped[bool]
    opened_at: Mapped[datetime]
    settled_at: Mapped[datetime | None] = mapped_column(index=True)  # the time it was settled or closed
    closed_for: Mapped[int | None] = mapped_column(
        ForeignKey("model_version.id")
    )  # the model that went live; None: the
    # item was closed with its batch of written texts, or is not closed

    queue: Mapped[Queue] = relationship(lazy="joined", innerjoin=True)
    prediction: Mapped[Prediction | None] = relationship(lazy="joined")
    golden: Mapped[GoldenExample | None] = relationship()
    seed: Mapped[SeedExample | None] = relationship()
    synthetic: Mapped[SyntheticText | None] = relationship()


class Suggestion(Base):
    """The live model's prediction for an item that was opened before this model went live. While the item is undecided,
    its card shows this instead of the prediction that was flagged. Whether the model was right still refers to the
    flagged prediction."""

    __tablename__ = "suggestion"

    item_id: Mapped[int] = mapped_column(ForeignKey("review_item.id"), primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"), index=True)
    label: Mapped[str]
    confidence: Mapped[float]
    probabilities: Mapped[dict[str, float]]
    created_at: Mapped[datetime]


class Assignment(Base):
    """The assignment of an item to a person. An item without a row may be shown to every reviewer of its queue."""

    __tablename__ = "assignment"

    item_id: Mapped[int] = mapped_column(ForeignKey("review_item.id"), primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True)
    assigned_at: Mapped[datetime]


class Answer(Base):
    """The answer of one reviewer about one item. A changed answer supersedes the former one; no row is deleted, so a
    click that arrives late can be recognised by `clicked_at`."""

    __tablename__ = "answer"
    __table_args__ = (
        # By person first, so that a person's answers are adjacent, in the order of the items that may wait for them.
        Index("uq_answer_current", "person", "item_id", unique=True, postgresql_include=["kind"],
              postgresql_where=text("is_current"), sqlite_where=text("is_current = 1")),
        Index("ix_answer_person_created_at", "person", "created_at"),
        Index("ix_answer_item_id", "item_id"),
    )  # fmt: skip

    id: Mapped[int] = big_id()
    item_id: Mapped[int] = mapped_column(ForeignKey("review_item.id"))
    person: Mapped[str]
    kind: Mapped[AnswerKind]
    label: Mapped[str | None]
    reason: Mapped[ErrorReason | None]
    note: Mapped[str] = mapped_column(Text, default="")
    suggestion_shown: Mapped[bool]
    guideline_version: Mapped[int]
    clicked_at: Mapped[int] = mapped_column(BigInteger)  # Slack's action_ts in microseconds
    created_at: Mapped[datetime]
    is_current: Mapped[bool] = mapped_column(default=True)


class Escalation(Base):
    """The escalation of an item to a lead. The item itself has only the present state: a changed answer may take the
    escalation back."""

    __tablename__ = "escalation"

    id: Mapped[int] = big_id()
    item_id: Mapped[int] = mapped_column(ForeignKey("review_item.id"), index=True)
    because: Mapped[str]  # a word of `DisputeReason`
    values: Mapped[dict[str, Any]]  # the values in its sentence
    at: Mapped[datetime]
    told_at: Mapped[datetime | None] = mapped_column(index=True)  # when a notice to the leads named it


class Correction(Base):
    """The settled label of an item; confirmations of the model are corrections too."""

    __tablename__ = "correction"
    __table_args__ = (
        Index("uq_correction_current", "item_id", unique=True, postgresql_where=text("is_current"),
              sqlite_where=text("is_current = 1")),
        Index("ix_correction_queue_id_settled_at", "queue_id", "settled_at"),
        Index("ix_correction_queue_id_id", "queue_id", "id"),
        Index("ix_correction_item_id", "item_id"),
        Index("ix_correction_error", "queue_id", "label", postgresql_where=text("is_current AND NOT model_was_right"),
              sqlite_where=text("is_current = 1 AND model_was_right = 0")),
    )  # fmt: skip

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("review_item.id"))
    label: Mapped[str | None]  # None: "none of these"
    model_was_right: Mapped[bool | None]  # None: the item is about a stored label, not about a prediction
    reason: Mapped[ErrorReason | None]
    note: Mapped[str] = mapped_column(Text, default="")
    tally: Mapped[dict[str, int]]  # answer as shown -> number of votes, including "none of these"
    settled_by: Mapped[Settler]
    lead: Mapped[str | None]
    destination: Mapped[Destination]
    guideline_version: Mapped[int]
    policy_fingerprint: Mapped[str]
    settled_at: Mapped[datetime]
    is_current: Mapped[bool] = mapped_column(default=True)

    item: Mapped[ReviewItem] = relationship(lazy="joined", innerjoin=True)
