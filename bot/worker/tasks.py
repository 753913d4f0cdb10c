"""The table of periodic tasks. A step returns whether there may be more to do."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy.orm import Session

from bot.runtime.processes import is_gone
from bot.runtime.services import Services
from bot.slack.delivery.deleted_cards import post_deleted_again
from bot.slack.delivery.deliver import deliver_next, deliver_next_notice
from bot.slack.delivery.erased_pictures import delete_erased_files
from bot.slack.delivery.incidents import tell_of_incidents
from bot.slack.directory.refresh import refresh_people
from bot.webhooks import deliver_next_event
from bot.worker.budgets import budget_piece
from bot.worker.canary import canary_piece
from bot.worker.claimed_job import give_up, work_on_next
from bot.worker.drift import drift_piece
from bot.worker.independently import for_each
from bot.worker.open_items import renew_open_items
from bot.worker.promises import promise_piece
from bot.worker.scans import find_piece, scan_next
from bot.worker.shadow import shadow_piece
from bot.worker.slices import slice_piece
from bot.worker.synthesis import decide_next, write_next
from core import jobs
from core.delivery.backlog import draw_by_policy
from core.delivery.retention import forget_before
from core.jobs import Claim
from core.learning.lifecycle.canary import canary_work, look
from core.learning.lifecycle.decisions import remind_of_pending
from core.learning.lifecycle.expiry import expire_pending
from core.learning.lifecycle.hand_outs import wait_for_other_run
from core.learning.lifecycle.label_suspects import SUSPECTS, find_suspects
from core.learning.lifecycle.open_items import RENEW
from core.learning.lifecycle.parallel import forget_parallel
from core.learning.lifecycle.runs import EVALUATE, TRAIN, request_run, request_run_if_due
from core.learning.lifecycle.shadow import wait_for_shadow
from core.learning.lifecycle.training import evaluate_again, train
from core.policy import QueuePolicy
from core.privacy.erasure import PIECE, erase_expired
from core.queues import queue_named
from core.records.delivery import Notice, Posting
from core.records.learning import TrainingRun
from core.records.webhooks import EventDelivery
from core.review.assignments import unanswerable_items
from core.review.dispute_notices import tell_of_disputes
from core.review.suspects import ask_about_suspects
from core.review.votes import decide_again
from core.storage import leases
from core.storage.database import PATIENT
from core.vocabulary import RunProblem, Trigger

SCHEDULED_RUN = "scheduled_run"
HOUR = 60 * 60
DAY = 24 * HOUR
KEPT = timedelta(days=90)  # of what was said and done; long enough for any question, and for nothing to come twice


@dataclass(frozen=True)
class PeriodicTask:
    """every: seconds between two looks; step: do one piece, True if there may be more. rests: it only finds work that
    was committed, so it need not look while nothing is (bot/worker/idling.py)."""

    name: str
    every: float
    step: Callable[[Services], bool]
    rests: bool = False


def train_next(services: Services) -> bool:
    """Take one training run and see it through."""
    return work_on_next(services, TRAIN, partial(_train, services))


def _train(services: Services, claimed: Claim) -> None:
    with services.database.transaction(wait=PATIENT) as session:
        policy = services.in_force.read(session)
        queue = policy.queue(session.get_one(TrainingRun, claimed.payload["run_id"]).queue.name)
        now = services.clock()
        if wait_for_other_run(session, claimed, now) or wait_for_shadow(session, claimed, now, queue):
            return
    train(
        services.database, claimed, services.clock, policy, services.execute, services.extra_learners, services.connect
    )


def shadow_next(services: Services) -> bool:
    """A piece of each queue's shadow; True while there is more."""
    return any(for_each(services.policy.queues, partial(shadow_piece, services), "shadows"))


def evaluate_next(services: Services) -> bool:
    return work_on_next(
        services,
        EVALUATE,
        lambda claimed: evaluate_again(
            services.database, claimed, services.clock, services.policy, services.extra_learners, services.connect
        ),
    )


def canary_next(services: Services) -> bool:
    """A piece of each queue's canary; True while there is more."""
    return any(for_each(services.policy.queues, partial(canary_piece, services), "canaries"))


def look_at_canaries(services: Services) -> bool:
    """The looks that are due."""
    for_each(services.policy.queues, partial(_look_at_canary, services), "canaries")
    return False


def _look_at_canary(services: Services, queue: QueuePolicy) -> None:
    with services.database.reading(wait=PATIENT) as session:
        if canary_work(session, queue) is None:
            return
    with services.database.transaction(wait=PATIENT) as session:
        look(session, queue, services.clock())


def spend_budgets(services: Services) -> bool:
    """Open a batch of waiting predictions in each queue with a budget; True while there is more."""
    return any(for_each(services.policy.queues, partial(budget_piece, services), "budgets"))


def keep_promises(services: Services) -> bool:
    """Bring each queue's promise up to date."""
    for_each(services.policy.queues, partial(promise_piece, services), "promises")
    return False


def read_days(services: Services) -> bool:
    """A piece of each queue's daily readings; True while there is more."""
    return any(for_each(services.policy.queues, partial(drift_piece, services), "daily readings"))


def look_for_slices(services: Services) -> bool:
    """Where each queue's model is weak."""
    for_each(services.policy.queues, partial(slice_piece, services), "weak slices")
    return False


def renew_next(services: Services) -> bool:
    """Bring open items in line with a model that went live."""
    return work_on_next(services, RENEW, partial(renew_open_items, services))


def find_next_suspects(services: Services) -> bool:
    """Take one job that lists probably wrong labels, and see it through."""
    return work_on_next(
        services,
        SUSPECTS,
        lambda claimed: find_suspects(
            services.database, claimed, services.clock, services.policy, services.execute, services.extra_learners
        ),
    )


def ask_about_next_suspects(services: Services) -> bool:
    """Ask reviewers again about labels that are probably wrong, within each queue's daily budget."""
    for_each(services.policy.queues, partial(_ask_about_suspects, services), "second looks")
    return False


def _ask_about_suspects(services: Services, queue: QueuePolicy) -> None:
    services.database.write_if_needed(lambda session: ask_about_suspects(session, services.clock(), queue))


def look_after_finds(services: Services) -> bool:
    """Open finds of scans for review, a few at a time."""
    for_each(services.policy.queues, partial(find_piece, services), "finds")
    return False


def note_due_schedules(services: Services) -> bool:
    """Each slot of a queue's retraining cron becomes one row, however many clocks look."""
    for_each(services.policy.queues, partial(_note_due_schedule, services), "schedules")
    return False


def _note_due_schedule(services: Services, queue: QueuePolicy) -> None:
    if queue.retraining.cron is None:
        return
    name, payload = f"retrain:{queue.name}", {"queue": queue.name}
    services.database.write_if_needed(
        lambda session: jobs.enqueue_due(
            session, name, queue.retraining.latest_slot, SCHEDULED_RUN, payload, services.clock()
        )
    )


def request_scheduled_run(services: Services) -> bool:
    return work_on_next(services, SCHEDULED_RUN, partial(_request_scheduled_run, services))


def _request_scheduled_run(services: Services, claimed: Claim) -> None:
    with services.database.transaction(wait=PATIENT) as session:
        jobs.finish(session, claimed)
        queues = services.in_force.read(session).queues
        policy = next((queue for queue in queues if queue.name == claimed.payload["queue"]), None)
        if policy is not None:  # else it has left the policy since its hour came
            request_run(session, queue_named(session, policy.name), Trigger.CRON, None, services.clock(), policy)


def request_due_runs(services: Services) -> bool:
    """Request a run for corrections that came while another run was under way or a candidate was in review, even if no
    further correction comes."""
    for_each(services.policy.queues, partial(_request_due_run, services), "due runs")
    return False


def _request_due_run(services: Services, queue: QueuePolicy) -> None:
    services.database.write_if_needed(
        lambda session: request_run_if_due(session, queue_named(session, queue.name), services.clock(), queue)
    )


def release_dead_leases(services: Services) -> bool:
    """What a dead process had leased is free again."""
    services.database.write_if_needed(partial(_release_dead_leases, services))
    return False


def _release_dead_leases(services: Services, session: Session) -> None:
    for record in (Posting, Notice, EventDelivery):
        leases.release_dead(session, record, is_gone)
    for dead in jobs.reap(session, services.clock(), is_gone):
        give_up(session, dead.name, dead.payload, RunProblem.WORKER_DIED, services.clock())


def settle_unanswerable(services: Services) -> bool:
    """Items that wait for an answer which no reviewer is left to give go to a lead."""
    for_each(services.policy.queues, partial(_settle_unanswerable_of, services), "unanswerable items")
    return False


def _settle_unanswerable_of(services: Services, queue: QueuePolicy) -> None:
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


def tell_leads_of_disputes(services: Services) -> bool:
    """Disputes that are new are named in the leads' channel, at most once an hour for each queue."""
    for_each(services.policy.queues, partial(_tell_of_disputes, services), "disputes")
    return False


def _tell_of_disputes(services: Services, queue: QueuePolicy) -> None:
    services.database.write_if_needed(lambda session: tell_of_disputes(session, queue, services.clock()))


def expire_candidates(services: Services) -> bool:
    """Candidates that have waited too long for a decision are asked about again."""
    for_each(services.policy.queues, partial(_expire_candidates, services), "waiting candidates")
    return False


def _expire_candidates(services: Services, queue: QueuePolicy) -> None:
    services.database.write_if_needed(lambda session: expire_pending(session, queue, services.clock()))


def follow_policy(services: Services) -> bool:
    """Bring open cards and people in line with a policy that this process took since the last look. Asking Slack is not
    tried again here when it fails: the people are refreshed every five minutes."""
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


def erase_what_expired(services: Services) -> bool:
    """A piece of each queue's retention; True while there is more."""
    counts = for_each(services.policy.queues, partial(_erase_expired, services), "retention")
    if any(counts):
        services.database.overwrite_log()
    return PIECE in counts


def _erase_expired(services: Services, queue: QueuePolicy) -> int:
    with services.database.transaction(wait=PATIENT) as session:
        return erase_expired(session, queue, services.clock())


def forget_what_is_over(services: Services) -> bool:
    """A piece of the rows that only say what was done long ago; True while there is more."""
    before = services.clock() - KEPT
    with services.database.transaction(wait=PATIENT) as session:
        return (
            forget_before(session, before) + jobs.forget_before(session, before) + forget_parallel(session, before) > 0
        )


PERIODIC_TASKS = (
    PeriodicTask("deliver", 0.25, deliver_next, rests=True),
    PeriodicTask("notices", 1, deliver_next_notice, rests=True),
    PeriodicTask("erased pictures", 5, delete_erased_files, rests=True),
    PeriodicTask("incidents", 5, tell_of_incidents, rests=True),
    PeriodicTask("webhooks", 1, deliver_next_event, rests=True),
    PeriodicTask("policy", 1, follow_policy),
    PeriodicTask("train", 1, train_next, rests=True),
    PeriodicTask("evaluate", 1, evaluate_next, rests=True),
    PeriodicTask("canaries", 5, canary_next),
    PeriodicTask("looks at canaries", 60, look_at_canaries),
    PeriodicTask("shadows", 5, shadow_next),
    PeriodicTask("open items", 1, renew_next, rests=True),
    PeriodicTask("budgets", 5, spend_budgets),
    PeriodicTask("suspects", 30, find_next_suspects, rests=True),
    PeriodicTask("second looks", 300, ask_about_next_suspects),
    PeriodicTask("scans", 1, scan_next, rests=True),
    PeriodicTask("finds", 30, look_after_finds),
    PeriodicTask("written texts", 1, write_next, rests=True),
    PeriodicTask("decisions about written texts", 5, decide_next, rests=True),
    PeriodicTask("live models", 2, load_live_models, rests=True),
    PeriodicTask("schedules", 5, note_due_schedules),
    PeriodicTask("scheduled runs", 5, request_scheduled_run, rests=True),
    PeriodicTask("due runs", 60, request_due_runs),
    PeriodicTask("dead leases", 5, release_dead_leases, rests=True),
    PeriodicTask("unanswerable items", 30, settle_unanswerable),
    PeriodicTask("reminders", 60, remind_leads),
    PeriodicTask("disputes", 60, tell_leads_of_disputes),
    PeriodicTask("expiry", 60, expire_candidates),
    PeriodicTask("people", 300, refresh_people),
    PeriodicTask("deleted cards", HOUR, post_deleted_again),
    PeriodicTask("promises", 60, keep_promises),
    PeriodicTask("daily readings", HOUR / 4, read_days),
    PeriodicTask("weak slices", HOUR / 4, look_for_slices),
    PeriodicTask("retention", DAY, erase_what_expired),
    PeriodicTask("forgetting", DAY, forget_what_is_over),
)
