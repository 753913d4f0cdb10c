"""A queue's promise: how far it can be kept today, and what a lead has agreed to for it."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base


class PromiseState(Base):
    """One row per queue, brought up to date every hour. What belongs to another promise, or to another model, than the
    present one is begun anew."""

    __tablename__ = "promise_state"

    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"), primary_key=True)
    promised: Mapped[float]  # the share of all answers that may be wrong and unseen
    since: Mapped[datetime]  # when the queue began to promise; flagged rows are held back since then
    model_version: Mapped[str]
    cut: Mapped[float | None]  # the score from which on it may be kept; None: it was never said with this model
    audits_then: Mapped[int]  # that the cut was last loosened with
    said: Mapped[bool]  # whether it can be kept with the cut today
    audits: Mapped[int]  # old enough to count
    audits_needed: Mapped[int]  # at least, if none of them was wrong
    items_a_day: Mapped[int | None]  # that the cut comes to; None: too few scores, or no volume yet
    within_budget: Mapped[float]  # the share that the budget's cut can promise
    agreed_items: Mapped[int | None]  # a day that a lead said yes to, for this promise
    agreed_by: Mapped[str | None]
    agreed_at: Mapped[datetime | None]
    made_at: Mapped[datetime]
