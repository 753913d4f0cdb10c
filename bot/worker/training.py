"""Training runs in a worker: requests those that are due, and carries out those that wait."""

from functools import partial

from bot.runtime.services import Services
from bot.worker.claimed_job import work_on_next
from bot.worker.executors.local import in_one_process
from core import jobs
from core.jobs import Claim
from core.learning.lifecycle.hand_outs import wait_for_other_run
from core.learning.lifecycle.runs import EVALUATE, TRAIN, request_run, request_run_if_due
from core.learning.lifecycle.shadow import wait_for_shadow
from core.learning.lifecycle.training import evaluate_again, train
from core.policy import QueuePolicy
from core.queues import queue_named
from core.records.learning import TrainingRun
from core.storage.database import PATIENT
from core.vocabulary import Trigger

SCHEDULED_RUN = "scheduled_run"


def train_next(services: Services) -> bool:
    """Take one training run and carry it out. Returns whether there was one."""
    return work_on_next(services, TRAIN, partial(_train, services))


def _train(services: Services, claimed: Claim) -> None:
    with services.database.transaction(wait=PATIENT) as session:
        policy = services.in_force.read(session)
        queue = policy.queue(session.get_one(TrainingRun, claimed.payload["run_id"]).queue.name)
        now = services.clock()
        if wait_for_other_run(session, claimed, now) or wait_for_shadow(session, claimed, now, queue):
            return
    with in_one_process(services.execute) as execute:
        train(services.database, claimed, services.clock, policy, execute, services.extra_learners, services.connect)


def evaluate_next(services: Services) -> bool:
    """Take one comparison with a new live model and carry it out. Returns whether there was one."""
    return work_on_next(services, EVALUATE, partial(_evaluate, services))


def _evaluate(services: Services, claimed: Claim) -> None:
    with in_one_process(services.execute) as execute:
        evaluate_again(
            services.database, claimed, services.clock, services.policy, services.extra_learners, services.connect,
            execute,
        )  # fmt: skip


def schedule_piece(services: Services, queue: QueuePolicy) -> None:
    """Store each slot of the queue's retraining cron as one row, however many workers look."""
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
        if policy is not None:  # None: the queue has left the policy since the slot fell due
            request_run(session, queue_named(session, policy.name), Trigger.CRON, None, services.clock(), policy)


def due_run_piece(services: Services, queue: QueuePolicy) -> None:
    """Request a run for corrections that came while another run was under way or a candidate was in review, even if no
    further correction comes."""
    services.database.write_if_needed(
        lambda session: request_run_if_due(session, queue_named(session, queue.name), services.clock(), queue)
    )
