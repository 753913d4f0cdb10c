"""The upkeep of a running Goldloop: leases of dead processes, a new policy, live models, and deletion of what is no
longer needed."""

from datetime import timedelta
from functools import partial

from sqlalchemy.orm import Session

from bot.runtime.processes import is_gone
from bot.runtime.services import Services
from bot.slack.directory.refresh import refresh_people
from bot.worker.claimed_job import give_up
from bot.worker.independently import for_each
from core import jobs
from core.delivery.backlog import draw_by_policy
from core.delivery.retention import forget_before
from core.learning.lifecycle.parallel import forget_parallel
from core.policy import QueuePolicy
from core.privacy.erasure import PIECE, erase_expired
from core.records.delivery import Notice, Posting
from core.records.webhooks import EventDelivery
from core.storage import leases
from core.storage.database import PATIENT
from core.vocabulary import RunProblem

KEPT = timedelta(days=90)  # of finished work; long enough for any question about it, and to recognise repetitions


def release_dead_leases(services: Services) -> bool:
    """Free the rows that dead processes had leased."""
    services.database.write_if_needed(partial(_release_dead_leases, services))
    return False


def _release_dead_leases(services: Services, session: Session) -> None:
    for record in (Posting, Notice, EventDelivery):
        leases.release_dead(session, record, is_gone)
    for dead in jobs.reap(session, services.clock(), is_gone):
        give_up(session, dead.name, dead.payload, RunProblem.WORKER_DIED, services.clock())


def follow_policy(services: Services) -> bool:
    """Bring open cards and people in line with a policy that was put in force since the last run. Asking Slack is not
    tried again here when it fails: the people are refreshed every five minutes."""
    with services.database.reading(wait=PATIENT) as session:
        services.in_force.read(session)
    version = services.in_force.version
    if version == services.in_force.followed:
        return False
    with services.database.transaction(wait=PATIENT) as session:
        draw_by_policy(session, services.in_force.read(session), services.clock())
    services.in_force.followed = version
    return refresh_people(services)


def load_live_models(services: Services) -> bool:
    """Load newly promoted models, so that no click has to wait for one."""
    for_each(services.policy.queues, services.serving.usable, "live models")
    return False


def retention_piece(services: Services, queue: QueuePolicy) -> bool:
    """Erase some of what the queue's retention no longer allows. Returns whether there may be more."""
    with services.database.transaction(wait=PATIENT) as session:
        erased = erase_expired(session, queue, services.clock())
    if erased:
        services.database.overwrite_log()
    return erased == PIECE


def forget_what_is_over(services: Services) -> bool:
    """Delete some of the rows that only record what was done long ago. Returns whether there may be more."""
    before = services.clock() - KEPT
    with services.database.transaction(wait=PATIENT) as session:
        return (
            forget_before(session, before) + jobs.forget_before(session, before) + forget_parallel(session, before) > 0
        )
