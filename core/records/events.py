"""The kinds of events that Slack has sent: it tells no app what it is subscribed to."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from core.records.base import Base


class ReceivedEvent(Base):
    __tablename__ = "received_event"

    kind: Mapped[str] = mapped_column(primary_key=True)  # "reaction_added"
    last_at: Mapped[datetime]  # to the hour
