"""The state of a queue's promise today, and the items that a lead has allowed for it."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base


class PromiseState(Base):
    """One row per queue, brought up to date every hour. With another promise or another model, its state starts
    afresh."""

    __tablename__ = "promise_state"

    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"), primary_key=True)
    promised: Mapped[float]  # the share of all answers that may be wrong and unseen
    since: Mapped[datetime]  # when the queue began to promise; flagged rows are held back since then
    model_version: Mapped[str]
    cut: Mapped[float | None]  # the score from which on predictions must be reviewed; None: never made with this model
    audits_then: Mapped[int]  # that the cut was last loosened with
    said: Mapped[bool]  # whether it is made today
    audits: Mapped[int]  # old enough to count
    audits_needed: Mapped[int]  # at least, if none of them was wrong
    items_a_day: Mapped[int | None]  # that the cut needs; None: too few scores, or no volume yet
    within_budget: Mapped[float]  # the share that the budget's cut can promise
    agreed_items: Mapped[int | None]  # a day that a lead said yes to, for this promise
    agreed_by: Mapped[str | None]
    agreed_at: Mapped[datetime | None]
    made_at: Mapped[datetime]
