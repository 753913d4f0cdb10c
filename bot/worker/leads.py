"""Periodic steps of work that waits for leads: disputes, candidates, and items that no reviewer can answer."""

from functools import partial

from bot.runtime.services import Services
from bot.worker.independently import for_each
from core.learning.lifecycle.decisions import remind_of_pending
from core.learning.lifecycle.expiry import expire_pending
from core.policy import QueuePolicy
from core.queues import queue_named
from core.review.assignments import unanswerable_items
from core.review.dispute_notices import tell_of_disputes
from core.review.votes import decide_again
from core.storage.database import PATIENT


def unanswerable_piece(services: Services, queue: QueuePolicy) -> None:
    """Send open items that no reviewer is left to answer to a lead."""
    with services.database.reading(wait=PATIENT) as session:
        stuck = unanswerable_items(session, queue_named(session, queue.name).id)
    for_each(stuck, partial(_decide_again, services), "unanswerable items")


def _decide_again(services: Services, item_id: int) -> None:
    with services.database.transaction(wait=PATIENT) as session:
        decide_again(session, item_id, services.clock(), services.in_force.read(session))


def remind_leads(services: Services) -> bool:
    services.database.write_if_needed(
        lambda session: remind_of_pending(session, services.clock(), services.in_force.read(session))
    )
    return False


def dispute_piece(services: Services, queue: QueuePolicy) -> None:
    """Name new disputes in the leads' channel, at most once an hour for each queue."""
    services.database.write_if_needed(lambda session: tell_of_disputes(session, queue, services.clock()))


def expiry_piece(services: Services, queue: QueuePolicy) -> None:
    """Ask again about candidates that have waited too long for a decision."""
    services.database.write_if_needed(lambda session: expire_pending(session, queue, services.clock()))
