"""Scans in a worker: running them, opening finds for review, and having a new model predict the waiting finds again."""

from contextlib import suppress

from bot.runtime.services import Services
from bot.runtime.settings import load_settings
from bot.worker.claimed_job import work_on_next
from bot.worker.executors.local import LocalExecutor
from core.discovery.finds import open_finds, outdated_finds, renew_finds
from core.discovery.scans import SCAN
from core.errors import ModelUnavailable
from core.jobs import Claim, Interrupted
from core.learning.data.inputs import Input
from core.learning.lifecycle.serving import LiveModel
from core.policy import QueuePolicy
from core.storage.database import PATIENT


def scan_next(services: Services) -> bool:
    """Take one scan and carry it out. Returns whether there was one."""
    return work_on_next(services, SCAN, lambda claimed: _scan(services, claimed))


def _scan(services: Services, claimed: Claim) -> None:
    """Run a scan in other processes, because this interpreter delivers messages. It ends when the worker ends."""
    from bot.worker.engines import chosen_engine  # here, because most processes need no numerical libraries
    from core.discovery.running import run_scan

    def check() -> None:
        if isinstance(services.execute, LocalExecutor) and services.execute.is_stopped:
            raise Interrupted

    run_scan(
        services.database, claimed, services.clock, services.policy, chosen_engine(load_settings(), apart=True),
        services.execute, services.extra_learners, check=check,
    )  # fmt: skip


def _predict_anew(services: Services, queue: QueuePolicy, live: LiveModel) -> None:
    while True:
        with services.database.reading(wait=PATIENT) as session:
            outdated = outdated_finds(session, queue, live.id)
        if not outdated:
            return
        predictions = live.predict([Input(one.text) for one in outdated])
        chances = {one.find_id: row for one, row in zip(outdated, predictions, strict=True)}
        with services.database.transaction(wait=PATIENT) as session:
            renew_finds(session, queue, live.id, chances, services.clock())


def find_piece(services: Services, queue: QueuePolicy) -> None:
    """Predict the waiting finds that the live model has not predicted, then open as many as the day allows."""
    live = services.serving.usable(queue)
    if live is None:
        return
    with suppress(ModelUnavailable):  # the finds are predicted when the model's service answers
        _predict_anew(services, queue, live)
    services.database.write_if_needed(lambda session: open_finds(session, queue, services.clock()))
