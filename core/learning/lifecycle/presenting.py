"""The messages that show training and models, in the channel of the queue's leads: the card of a run, the card of a
candidate, and the chart in the candidate's thread.

Every change of a run or a model ends here, so that a further message about them is added in one place."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.delivery import outbox
from core.delivery.recipients import leads_of
from core.records.queues import QueueRow
from core.vocabulary import Card


def run_requested(session: Session, run_id: int, queue: QueueRow, now: datetime) -> None:
    """Show a new training run to the queue's leads."""
    outbox.show(session, Card.RUN, run_id, leads_of(queue), queue, now)


def run_changed(session: Session, run_id: int, now: datetime, urgent: bool = False) -> None:
    """Bring every message about the run up to date. urgent: it has ended."""
    outbox.redraw(session, Card.RUN, run_id, now, urgent)


def candidate_stored(session: Session, model_id: int, queue: QueueRow, now: datetime) -> None:
    """Show a new candidate to the queue's leads, with the chart of its report."""
    outbox.show(session, Card.CANDIDATE, model_id, leads_of(queue), queue, now, urgent=True)
    outbox.show(session, Card.CHART, model_id, leads_of(queue), queue, now)


def model_changed(session: Session, model_id: int, now: datetime) -> None:
    """Bring the model's card up to date, wherever it is shown. Its chart stays as it is: a file is not drawn again."""
    outbox.redraw(session, Card.CANDIDATE, model_id, now, urgent=True)


def batch_requested(session: Session, batch_id: int, queue: QueueRow, now: datetime) -> None:
    """Show a new batch of written texts to the queue's leads."""
    outbox.show(session, Card.SYNTHETIC, batch_id, leads_of(queue), queue, now)


def batch_changed(session: Session, batch_id: int, now: datetime, urgent: bool = False) -> None:
    """Bring every message about the batch up to date. urgent: it is over, or people are asked."""
    outbox.redraw(session, Card.SYNTHETIC, batch_id, now, urgent)
