"""The periodic step that looks for weak slices in a queue. The search takes up to a second and holds no lock."""

from bot.runtime.services import Services
from core.intake.weak_slices import store_slices
from core.policy import QueuePolicy
from core.quality.slices import weak_slices
from core.queues import queue_named
from core.review.known_rows import known_rows, present_version
from core.storage.database import PATIENT


def slice_piece(services: Services, queue: QueuePolicy) -> None:
    with services.database.reading(wait=PATIENT) as session:
        queue_id = queue_named(session, queue.name).id
        model, rows = present_version(session, queue_id), known_rows(session, queue_id)
    if model is None:
        return
    found = weak_slices(rows)
    with services.database.transaction(wait=PATIENT) as session:
        store_slices(session, queue_id, model, found, rows, services.clock())
