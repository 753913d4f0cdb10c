"""The kinds of events received from Slack, which does not tell an app its subscriptions."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base


class ReceivedEvent(Base):
    __tablename__ = "received_event"

    kind: Mapped[str] = mapped_column(primary_key=True)  # "reaction_added"
    last_at: Mapped[datetime]  # to the hour
