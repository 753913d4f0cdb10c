"""The scheduler: runs every periodic task at its interval. APScheduler is only the clock; the work is in rows, so any
number of workers may run."""

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.observability.liveness import Liveness
from bot.runtime.clock import utc_now
from bot.runtime.services import Services
from bot.slack.delivery.deliver import stop_delivering
from bot.worker.clock_watch import watch_clock
from bot.worker.executors.local import LocalExecutor
from bot.worker.idling import Idling
from bot.worker.tasks import PERIODIC_TASKS, PeriodicTask
from core.errors import DatabaseUnavailable

log = logging.getLogger(__name__)

STOP_DELIVERING = PeriodicTask("delivery", 0, stop_delivering)  # the last thing that a worker does
RESTING = {task: task.at_rest for task in PERIODIC_TASKS if task.at_rest is not None}  # seconds between two looks
MOST_PIECES = 200  # of one task in a row, before its thread is free for other tasks
STOP_SECONDS = 20.0  # for the work in progress when the process is told to end; most platforms kill it after thirty
RELEASE_SECONDS = 5.0  # for ended computations to release their jobs
SELDOM = 60 * 60  # seconds; tasks with longer intervals also need the monotonic clock's agreement


@contextmanager
def worker(services: Services, liveness: Liveness | None = None, stop_seconds: float = STOP_SECONDS) -> Iterator[None]:
    """A worker that runs until the block is left, and then finishes the work in progress. A computation that still runs
    after `stop_seconds` is ended and its job released for another worker. liveness: notified of each run."""
    signs = liveness or Liveness()
    signs.works = True
    stopping, executor = threading.Event(), LocalExecutor()
    scheduler = _started(replace(services, execute=executor), stopping, signs)
    idling = Idling(services, partial(_rest, scheduler), partial(_wake, scheduler, RESTING))

    def clock_was_set() -> None:
        idling.wake_now()
        _wake(scheduler, PERIODIC_TASKS)

    watches = [
        threading.Thread(target=watch_clock, args=(services, clock_was_set, stopping), daemon=True, name="clock"),
        threading.Thread(target=idling.watch, args=(stopping,), daemon=True, name="idling"),
    ]
    for watch in watches:
        watch.start()
    try:
        yield
    finally:
        stopping.set()
        _end(scheduler, executor, stop_seconds)
        for watch in watches:
            watch.join(RELEASE_SECONDS)
        _tick(STOP_DELIVERING, services, threading.Event(), signs)


def _started(services: Services, stopping: threading.Event, signs: Liveness) -> BackgroundScheduler:
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(len(PERIODIC_TASKS))},
        job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
    )
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it would report each step that is still busy
    for task in PERIODIC_TASKS:
        scheduler.add_job(
            _tick,
            "interval",
            seconds=task.every,
            args=[task, services, stopping, signs],
            id=task.name,
            next_run_time=datetime.now(UTC),
        )
    scheduler.start()
    return scheduler


def _tick(task: PeriodicTask, services: Services, stopping: threading.Event, signs: Liveness) -> None:
    """Run one task, piece by piece. Any error is logged, and the next tick tries again: an exception that reached
    APScheduler could end its thread for good."""
    if is_too_early(task, signs):
        return
    signs.ticked(task.name)
    try:
        for _ in range(MOST_PIECES):
            if stopping.is_set() or not task.step(services):
                return
    except DatabaseUnavailable:
        log.debug("Database unavailable", extra={"task": task.name})  # database_errors.py has logged the outage
    except Exception:
        log.exception("Periodic task failed", extra={"task": task.name})


def is_too_early(task: PeriodicTask, signs: Liveness) -> bool:
    """Whether a rarely run task is due by the wall clock alone. Then the clock was set, which must not cause what such
    a task does, for example erase texts that are older than a year."""
    age = signs.tick_ages().get(task.name)
    return task.every >= SELDOM and age is not None and age < task.every / 2


def _end(scheduler: BackgroundScheduler, executor: LocalExecutor, seconds: float) -> None:
    """Wait `seconds` for all threads; then end the computations, which lets their threads end too."""
    ending = threading.Thread(target=scheduler.shutdown, kwargs={"wait": True}, daemon=True, name="ending")
    ending.start()
    ending.join(seconds)
    executor.stop()
    ending.join(RELEASE_SECONDS)
    if ending.is_alive():
        log.warning("Shutdown waits for a periodic task")


def _rest(scheduler: BackgroundScheduler) -> None:
    for task, seconds in RESTING.items():
        _look_every(scheduler, task, seconds, first=utc_now() + timedelta(seconds=seconds))


def _wake(scheduler: BackgroundScheduler, tasks: Iterable[PeriodicTask]) -> None:
    for task in tasks:
        _look_every(scheduler, task, task.every, first=utc_now())


def _look_every(scheduler: BackgroundScheduler, task: PeriodicTask, seconds: float, first: datetime) -> None:
    scheduler.modify_job(task.name, trigger=IntervalTrigger(seconds=seconds, timezone=UTC), next_run_time=first)
