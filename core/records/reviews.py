"""A flagged prediction while people look at it: the item, what they answered, what it added up to."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.records.base import Base, big_id
from core.records.predictions import Prediction
from core.vocabulary import AnswerKind, Destination, ErrorReason, ItemState, Settler


class Reviewer(Base):
    """What a person told us about themselves. Who may review what is in `Member`."""

    __tablename__ = "reviewer"

    person: Mapped[str] = mapped_column(primary_key=True)
    paused_at: Mapped[datetime | None]


class ReviewItem(Base):
    __tablename__ = "review_item"
    __table_args__ = (Index("ix_review_item_queue_id_state_id", "queue_id", "state", "id"),)

    id: Mapped[int] = big_id()
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    prediction_id: Mapped[int] = mapped_column(ForeignKey("prediction.id"), unique=True)
    state: Mapped[ItemState] = mapped_column(default=ItemState.OPEN)
    disputed_because: Mapped[str] = mapped_column(default="")  # of `DisputeReason`; empty: it is not disputed
    disputed_values: Mapped[dict[str, Any]] = mapped_column(default=dict)
    blind: Mapped[bool]
    opened_at: Mapped[datetime]
    settled_at: Mapped[datetime | None] = mapped_column(index=True)

    prediction: Mapped[Prediction] = relationship(lazy="joined", innerjoin=True)


class Assignment(Base):
    """This person is asked about this item. Of an item without a row, every reviewer of its queue may be asked."""

    __tablename__ = "assignment"

    item_id: Mapped[int] = mapped_column(ForeignKey("review_item.id"), primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True)
    assigned_at: Mapped[datetime]


class Answer(Base):
    """What one reviewer said about one item. A changed answer supersedes the former one; nothing is deleted, so a click
    that arrives late can be recognised by `clicked_at`."""

    __tablename__ = "answer"
    __table_args__ = (
        Index("uq_answer_current", "item_id", "person", unique=True, postgresql_where=text("is_current"),
              sqlite_where=text("is_current")),
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


class Correction(Base):
    """The settled label of an item; confirmations of the model are corrections too."""

    __tablename__ = "correction"
    __table_args__ = (
        Index("uq_correction_current", "item_id", unique=True, postgresql_where=text("is_current"),
              sqlite_where=text("is_current")),
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
    model_was_right: Mapped[bool]
    reason: Mapped[ErrorReason | None]
    note: Mapped[str] = mapped_column(Text, default="")
    tally: Mapped[dict[str, int]]  # answer as shown -> votes, "none of these" included
    settled_by: Mapped[Settler]
    lead: Mapped[str | None]
    destination: Mapped[Destination]
    guideline_version: Mapped[int]
    policy_fingerprint: Mapped[str]
    settled_at: Mapped[datetime]
    is_current: Mapped[bool] = mapped_column(default=True)

    item: Mapped[ReviewItem] = relationship(lazy="joined", innerjoin=True)
