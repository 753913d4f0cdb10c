"""The kinds of events that were received from Slack, because an app cannot read its own subscriptions."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base


class ReceivedEvent(Base):
    __tablename__ = "received_event"

    kind: Mapped[str] = mapped_column(primary_key=True)  # such as "reaction_added"
    last_at: Mapped[datetime]  # precise to the hour
