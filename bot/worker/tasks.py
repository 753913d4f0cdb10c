"""Everything that happens without anybody asking, in one table. A step says whether there may be more to do."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from apscheduler.triggers.cron import CronTrigger
from sqlalchemy.orm import Session

from bot.runtime.processes import is_gone
from bot.runtime.services import Services
from bot.slack.delivery.deleted_cards import post_deleted_again
from bot.slack.delivery.deliver import deliver_next, deliver_next_notice
from bot.slack.delivery.incidents import tell_of_troubles
from bot.slack.directory.refresh import refresh_people
from bot.webhooks import deliver_next_event
from core import jobs
from core.delivery import claims, webhooks
from core.delivery.clock_skew import mend_times
from core.delivery.retention import forget_before
from core.errors import DatabaseUnavailable
from core.jobs import Claim, LostLease
from core.learning.lifecycle.decisions import remind_of_pending
from core.learning.lifecycle.runs import EVALUATE, TRAIN, fail_run, give_up_evaluation, request_run
from core.learning.lifecycle.training import evaluate_again, train
from core.privacy.erasure import PIECE, erase_expired
from core.queues import queue_named
from core.review.answers import unanswerable_items
from core.review.votes import decide_again
from core.storage.database import PATIENT
from core.vocabulary import Coded, RunProblem, Trigger

log = logging.getLogger(__name__)

SCHEDULED_RUN = "scheduled_run"
RENEW_SECONDS = 3  # several tries before a lease of twenty seconds runs out
HOUR = 60 * 60
DAY = 24 * HOUR
KEPT = timedelta(days=90)  # of what was said and done; long enough for any question, and for nothing to come twice


@dataclass(frozen=True)
class PeriodicTask:
    """every: seconds between two looks; step: do one piece, True if there may be more."""

    name: str
    every: float
    step: Callable[[Services], bool]


def train_next(services: Services) -> bool:
    """Take one training run and see it through."""
    return _work(services, TRAIN, lambda claimed: train(services.database, claimed, services.clock, services.policy))


def evaluate_next(services: Services) -> bool:
    return _work(
        services,
        EVALUATE,
        lambda claimed: evaluate_again(services.database, claimed, services.clock, services.policy),
    )


def note_due_schedules(services: Services) -> bool:
    """Each slot of a queue's retraining cron becomes one row, however many clocks look."""
    for queue in services.policy.queues:
        if queue.retraining.cron is None:
            continue
        trigger = CronTrigger.from_crontab(queue.retraining.cron, timezone="UTC")
        with services.database.transaction(wait=PATIENT) as session:
            jobs.enqueue_due(
                session,
                f"retrain:{queue.name}",
                trigger.get_next_fire_time,
                SCHEDULED_RUN,
                {"queue": queue.name},
                services.clock(),
            )
    return False


def request_scheduled_run(services: Services) -> bool:
    with services.database.transaction(wait=PATIENT) as session:
        claimed = jobs.claim(session, SCHEDULED_RUN, services.process, services.clock())
        if claimed is None:
            return False
        jobs.finish(session, claimed)
        policy = next((queue for queue in services.policy.queues if queue.name == claimed.payload["queue"]), None)
        if policy is None:  # it has left the policy since its hour came
            return True
        request_run(session, queue_named(session, policy.name), Trigger.CRON, None, services.clock(), policy)
        return True


def take_back_lost_claims(services: Services) -> bool:
    """What a dead process had claimed is free again."""
    with services.database.transaction(wait=PATIENT) as session:
        claims.release_dead(session, is_gone)
        webhooks.release_dead(session, is_gone)
        for dead in jobs.reap(session, services.clock(), is_gone):
            _tell_of_dead(session, dead.name, dead.payload, RunProblem.WORKER_DIED, services)
    return False


def put_times_right(services: Services) -> bool:
    """After the clock was put back nothing waits for the old time to come round again."""
    with services.database.transaction(wait=PATIENT) as session:
        now = services.clock()
        jobs.mend_times(session, now)
        mend_times(session, now)
    return False


def settle_unanswerable(services: Services) -> bool:
    """Items that wait for an answer which nobody is left to give go to a lead."""
    for policy in services.policy.queues:
        with services.database.reading(wait=PATIENT) as session:
            stuck = unanswerable_items(session, queue_named(session, policy.name).id)
        for item_id in stuck:
            with services.database.transaction(wait=PATIENT) as session:
                decide_again(session, item_id, services.clock(), services.policy)
    return False


def remind_leads(services: Services) -> bool:
    with services.database.transaction(wait=PATIENT) as session:
        remind_of_pending(session, services.clock(), services.policy)
    return False


def load_live_models(services: Services) -> bool:
    """So that no click has to wait for a freshly promoted model to be read."""
    for queue in services.policy.queues:
        services.serving.usable(queue)
    return False


def erase_what_expired(services: Services) -> bool:
    """A piece of each queue's retention; True while there is more."""
    counts = []
    for queue in services.policy.queues:
        with services.database.transaction(wait=PATIENT) as session:
            counts.append(erase_expired(session, queue, services.clock()))
    if any(counts):
        services.database.overwrite_log()
    return PIECE in counts


def forget_what_is_over(services: Services) -> bool:
    """A piece of the rows that only say what was done long ago; True while there is more."""
    before = services.clock() - KEPT
    with services.database.transaction(wait=PATIENT) as session:
        return forget_before(session, before) + jobs.forget_before(session, before) > 0


PERIODIC_TASKS = (
    PeriodicTask("deliver", 0.25, deliver_next),
    PeriodicTask("notices", 1, deliver_next_notice),
    PeriodicTask("troubles", 5, tell_of_troubles),
    PeriodicTask("webhooks", 1, deliver_next_event),
    PeriodicTask("train", 1, train_next),
    PeriodicTask("evaluate", 1, evaluate_next),
    PeriodicTask("live models", 2, load_live_models),
    PeriodicTask("schedules", 5, note_due_schedules),
    PeriodicTask("scheduled runs", 5, request_scheduled_run),
    PeriodicTask("lost claims", 5, take_back_lost_claims),
    PeriodicTask("times", 5, put_times_right),
    PeriodicTask("unanswerable items", 30, settle_unanswerable),
    PeriodicTask("reminders", 60, remind_leads),
    PeriodicTask("people", 300, refresh_people),
    PeriodicTask("deleted cards", HOUR, post_deleted_again),
    PeriodicTask("retention", DAY, erase_what_expired),
    PeriodicTask("forgetting", DAY, forget_what_is_over),
)


def _work(services: Services, name: str, work: Callable[[Claim], None]) -> bool:
    """Claim one job, keep its lease while working, note a failure. Whoever lost the lease leaves quietly."""
    with services.database.transaction(wait=PATIENT) as session:
        claimed = jobs.claim(session, name, services.process, services.clock())
    if claimed is None:
        return False
    try:
        with _renewed(services, claimed):
            work(claimed)
    except LostLease:
        log.warning("another worker took the job over", extra={"job": claimed.id})
    except DatabaseUnavailable:  # where this fails, too, the lease runs out and another worker takes over
        log.warning("a job is put off, for the database is away", extra={"job": claimed.id, "job_name": name})
        services.database.retry_until_committed(lambda session: jobs.give_back(session, claimed, services.clock()))
    except Exception as error:
        log.exception("a job failed", extra={"job": claimed.id, "job_name": name})
        said = f"{type(error).__name__}: {error}"
        services.database.retry_until_committed(lambda session: _note_failure(session, claimed, said, services))
    return True


def _note_failure(session: Session, claimed: Claim, error: str, services: Services) -> None:
    if jobs.fail(session, claimed, error, services.clock()):
        _tell_of_dead(session, claimed.name, claimed.payload, RunProblem.FAILED_REPEATEDLY, services)


def _tell_of_dead(session: Session, name: str, payload: dict[str, Any], why: RunProblem, services: Services) -> None:
    """Whoever waits for what will never come is told."""
    problem = Coded(why, {"attempts": jobs.MOST_ATTEMPTS})
    if name == TRAIN:
        fail_run(session, payload["run_id"], problem, services.clock())
    elif name == EVALUATE:
        give_up_evaluation(session, payload["model_id"], problem, services.clock())


@contextlib.contextmanager
def _renewed(services: Services, claimed: Claim) -> Iterator[None]:
    done = threading.Event()
    keeper = threading.Thread(target=_renew, args=(services, claimed, done), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()


def _renew(services: Services, claimed: Claim, done: threading.Event) -> None:
    """While the database is away it is tried again; if the lease runs out meanwhile, `jobs.finish` will say so."""
    while not done.wait(RENEW_SECONDS):
        with contextlib.suppress(DatabaseUnavailable), services.database.transaction(wait=RENEW_SECONDS) as session:
            if not jobs.renew(session, claimed, services.clock()):
                return
