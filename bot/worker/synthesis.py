"""Batches of written texts in a worker: the calls and guards, and the decision when people have answered."""

from functools import partial

from bot.runtime.services import Services
from bot.runtime.settings import load_settings
from bot.worker.claimed_job import work_on_next
from bot.worker.executors.local import LocalExecutor
from bot.worker.independently import for_each
from core.jobs import Claim, Interrupted
from core.policy import QueuePolicy
from core.synthesis.batches import SYNTHESIS
from core.synthesis.deciding import decide_batches


def write_next(services: Services) -> bool:
    """Take one batch and carry it out. Returns whether there was one."""
    return work_on_next(services, SYNTHESIS, partial(_write, services))


def _write(services: Services, claimed: Claim) -> None:
    from bot.llm import writer
    from core.synthesis.writing import write_batch  # here, because most processes need no numerical libraries

    def check() -> None:
        if isinstance(services.execute, LocalExecutor) and services.execute.is_stopped:
            raise Interrupted

    write_batch(
        services.database, claimed, services.clock, services.policy, writer(load_settings().llm_key),
        services.execute, services.extra_learners, check=check, connect=services.connect,
    )  # fmt: skip


def decide_next(services: Services) -> bool:
    """Count the answers about each queue's batch, and decide about it."""
    for_each(services.policy.queues, partial(_decide, services), "written texts")
    return False


def _decide(services: Services, queue: QueuePolicy) -> None:
    services.database.write_if_needed(lambda session: decide_batches(session, queue, services.clock()))
