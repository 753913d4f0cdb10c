"""The periodic step of a queue's daily readings: read a day, or compare the newest days with those before. Reading
holds no lock for which a click would wait."""

from bot.runtime.services import Services
from core.intake.daily_readings import read_day, store_day, unread_day, weekday_of
from core.intake.drift_watch import due_look, note_look
from core.policy import QueuePolicy
from core.queues import queue_named
from core.storage.database import PATIENT


def drift_piece(services: Services, queue: QueuePolicy) -> bool:
    """Do one step. Returns whether there may be another day to read."""
    now = services.clock()
    with services.database.reading(wait=PATIENT) as session:
        day = unread_day(session, queue, now)
        queue_id = queue_named(session, queue.name).id
        counts = read_day(session, queue_id, day, weekday_of(day[0], queue)) if day else None
    if day is not None and counts is not None:
        with services.database.transaction(wait=PATIENT) as session:
            store_day(session, queue_id, day[0], counts)
        return True
    with services.database.reading(wait=PATIENT) as session:
        look = due_look(session, queue, now)
    if look is not None:
        found = look.found(queue)
        with services.database.transaction(wait=PATIENT) as session:
            note_look(session, queue, look, found, now)
    return False
