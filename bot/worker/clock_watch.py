"""The clock watch: repairs stored times at start, and whenever the wall clock was set.

Leases and retry times written while the clock was ahead would otherwise last until that time is reached again.
APScheduler sleeps until the next due time by the wall clock; after the clock is set back an hour it would sleep for an
hour, so it is woken.
"""

import logging
import threading
import time
from collections.abc import Callable

from bot.runtime.clock import utc_now
from bot.runtime.services import Services
from core import jobs
from core.delivery import clock_skew
from core.errors import DatabaseUnavailable
from core.storage.database import PATIENT

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0  # between two readings of the clock
STEP_SECONDS = 5.0  # the clock was set if wall clock and monotonic clock have come apart by so much


def watch_clock(services: Services, wake: Callable[[], None], stopping: threading.Event) -> None:
    """Watch the clock until `stopping` is set. wake: called when the clock was set."""
    is_repaired, apart = False, _clock_difference()
    while not stopping.is_set():
        is_repaired = is_repaired or _repaired(services)
        stopping.wait(LOOK_SECONDS)
        former, apart = apart, _clock_difference()
        if abs(apart - former) > STEP_SECONDS:
            log.warning("System clock changed", extra={"seconds": round(apart - former)})
            is_repaired = False
            wake()


def repair_times(services: Services) -> None:
    """Repair due times that a wrong clock left far in the future. Safe to repeat, from any number of workers."""
    with services.database.transaction(wait=PATIENT) as session:
        now = services.clock()
        jobs.repair_times(session, now)
        clock_skew.repair_times(session, now)


def _repaired(services: Services) -> bool:
    """Repair the stored times. Returns False if the database is unavailable, so that it is tried again."""
    try:
        repair_times(services)
    except DatabaseUnavailable:
        return False
    except Exception:
        log.exception("Stored times not repaired")
    return True


def _clock_difference() -> float:
    return utc_now().timestamp() - time.monotonic()
