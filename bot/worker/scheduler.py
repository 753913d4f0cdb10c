"""Runs the table of jobs. APScheduler is only the clock; rows are the work, so any number of workers may run.

APScheduler goes by the wall clock and sleeps until the next time it knows; where that clock is put back an hour it
would sleep for an hour, so a thread of ours watches for that.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from bot.observability.liveness import Liveness
from bot.runtime.clock import utc_now
from bot.runtime.services import Services
from bot.slack.delivery.deliver import stop_speaking
from bot.worker.tasks import PERIODIC_TASKS, PeriodicTask
from core import jobs
from core.errors import DatabaseUnavailable

log = logging.getLogger(__name__)

GIVE_BACK = PeriodicTask("speaking", 0, stop_speaking)  # the last thing that a worker does
MOST_PIECES = 200  # of one job before the others get their turn at this thread again
STOP_SECONDS = 20.0  # for the pieces at hand when a process is told to end; most platforms kill it after thirty
HAND_OVER_SECONDS = 2.0  # for the rows that say so
CLOCK_SECONDS = 1.0  # between two looks at the clock
SELDOM = 60 * 60  # seconds between two looks, from which on the steady clock has a say too
STEP_SECONDS = 5.0  # by which the wall clock must have left the other one to have been set


@contextmanager
def worker(services: Services, liveness: Liveness | None = None, stop_seconds: float = STOP_SECONDS) -> Iterator[None]:
    """Works until the block is left; then finishes the pieces at hand. A training run that is not finished in
    `stop_seconds` is handed over: another worker takes it up, and the process should end (`Liveness.left_behind`), for
    its thread cannot be stopped. pulse: told of each look."""
    signs = liveness or Liveness()
    signs.works = True
    stopping = threading.Event()
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(len(PERIODIC_TASKS))},
        job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
    )
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a step that is still busy is no news
    for kind in PERIODIC_TASKS:
        scheduler.add_job(
            _tick,
            "interval",
            seconds=kind.every,
            args=[kind, services, stopping, signs],
            id=kind.name,
            next_run_time=datetime.now(UTC),
        )
    scheduler.start()
    threading.Thread(target=_mind_the_clock, args=(scheduler, stopping), daemon=True, name="clock").start()
    try:
        yield
    finally:
        stopping.set()
        signs.left_behind = not _ended(scheduler, stop_seconds)
        _tick(GIVE_BACK, services, threading.Event(), signs)
        if signs.left_behind:
            _hand_over(services)


def _tick(kind: PeriodicTask, services: Services, stopping: threading.Event, signs: Liveness) -> None:
    """One look at one kind of work. Whatever goes wrong is logged, and the next tick tries again: an exception that
    reached APScheduler could end its thread for good."""
    if is_too_early(kind, signs):
        return
    signs.ticked(kind.name)
    try:
        for _ in range(MOST_PIECES):
            if stopping.is_set() or not kind.step(services):
                return
    except DatabaseUnavailable:
        log.debug("the database is away", extra={"job_name": kind.name})  # which it has said itself, once for all
    except Exception:
        log.exception("a job step failed", extra={"job_name": kind.name})


def is_too_early(kind: PeriodicTask, signs: Liveness) -> bool:
    """Whether the wall clock alone says that a seldom kind is due: it was set, and what that kind does (erasing what is
    older than a year) must not happen because of it."""
    age = signs.tick_ages().get(kind.name)
    return kind.every >= SELDOM and age is not None and age < kind.every / 2


def _ended(scheduler: BackgroundScheduler, seconds: float) -> bool:
    """Whether all threads have come to their end in this time."""
    ending = threading.Thread(target=scheduler.shutdown, kwargs={"wait": True}, daemon=True, name="ending")
    ending.start()
    ending.join(seconds)
    return not ending.is_alive()


def _hand_over(services: Services) -> None:
    """Another worker need not wait until our leases run out."""
    try:
        given = services.database.retry_until_committed(
            lambda session: jobs.release_all(session, services.process, services.clock()), HAND_OVER_SECONDS
        )
    except DatabaseUnavailable:
        log.warning("a job was left behind; another worker takes it up when its lease runs out")
        return
    log.info("jobs were handed over", extra={"jobs": given})


def _mind_the_clock(scheduler: BackgroundScheduler, stopping: threading.Event) -> None:
    """Wakes every job when the wall clock was set."""
    apart = utc_now().timestamp() - time.monotonic()
    while not stopping.wait(CLOCK_SECONDS):
        former, apart = apart, utc_now().timestamp() - time.monotonic()
        if abs(apart - former) > STEP_SECONDS:
            log.warning("the clock was set", extra={"seconds": round(apart - former)})
            for job in scheduler.get_jobs():
                job.modify(next_run_time=utc_now())
