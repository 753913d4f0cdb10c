"""The state of a queue's promise today, and the items that a lead has allowed for it."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base


class PromiseState(Base):
    """The state of a queue's promise. One row per queue, updated every hour. With another promise or another model, the
    state starts anew."""

    __tablename__ = "promise_state"

    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"), primary_key=True)
    promised: Mapped[float]  # the share of all answers that may be wrong and unseen
    since: Mapped[datetime]  # when the queue began to promise; since then flagged rows are held back
    model_version: Mapped[str]
    cut: Mapped[float | None]  # the lowest score that must be reviewed; None: not computed with this model yet
    audits_then: Mapped[int]  # the number of audits when the cut was last loosened
    said: Mapped[bool]  # whether the promise is made today
    audits: Mapped[int]  # the number of audits that are old enough to count
    audits_needed: Mapped[int]  # the smallest number that is enough, if none of them was wrong
    items_a_day: Mapped[int | None]  # the number of items that the cut needs; None: too few scores, or no volume yet
    within_budget: Mapped[float]  # the share that the budget's cut can promise
    agreed_items: Mapped[int | None]  # items a day to which a lead agreed for this promise
    agreed_by: Mapped[str | None]
    agreed_at: Mapped[datetime | None]
    made_at: Mapped[datetime]
