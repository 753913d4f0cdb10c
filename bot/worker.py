"""Runs the table of jobs. APScheduler is only the clock; rows are the work, so any number of workers may run."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from bot.jobs import JOBS, JobKind
from bot.pulse import Pulse
from bot.wiring import Services

log = logging.getLogger(__name__)

MOST_PIECES = 200  # of one job before the others get their turn at this thread again


@contextmanager
def worker(services: Services, pulse: Pulse | None = None) -> Iterator[None]:
    """Works until the block is left; then finishes the pieces at hand. pulse: told of each look."""
    signs = pulse or Pulse()
    signs.works = True
    stopping = threading.Event()
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(len(JOBS))},
        job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
    )
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a step that is still busy is no news
    for kind in JOBS:
        scheduler.add_job(
            _tick,
            "interval",
            seconds=kind.every,
            args=[kind, services, stopping, signs],
            id=kind.name,
            next_run_time=datetime.now(UTC),
        )
    scheduler.start()
    try:
        yield
    finally:
        stopping.set()
        scheduler.shutdown(wait=True)


def _tick(kind: JobKind, services: Services, stopping: threading.Event, signs: Pulse) -> None:
    """One look at one kind of work. Whatever goes wrong is logged, and the next tick tries again: an exception that
    reached APScheduler could end its thread for good."""
    signs.ticked(kind.name)
    try:
        for _ in range(MOST_PIECES):
            if stopping.is_set() or not kind.step(services):
                return
    except Exception:
        log.exception("a job step failed", extra={"job_name": kind.name})
