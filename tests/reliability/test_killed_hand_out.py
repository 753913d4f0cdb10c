"""A worker is killed while a run waits for the service that trains: another one goes on."""

import multiprocessing
import time
from collections.abc import Callable

import pytest
from slack_sdk import WebClient
from sqlalchemy import func, select

from bot.runtime.clock import utc_now
from bot.runtime.services import assemble
from bot.worker.training import train_next
from core.learning.lifecycle.runs import request_run
from core.records.external import HandOut
from core.records.learning import ModelVersion, TrainingRun
from core.records.webhooks import Event
from core.storage.database import PATIENT, Database
from core.vocabulary import EventKind, RunState, Trigger
from tests.core.desk import Desk, opened
from tests.core.models import seeded
from tests.core.services import service_policy, submitted
from tests.people import CLEO

pytestmark = pytest.mark.slow


def works(url: str) -> None:
    """What the process runs, until it is killed."""
    services = assemble(Database(url), WebClient(), service_policy())
    while True:
        train_next(services)
        time.sleep(0.05)


def until(happened: Callable[[], object], what: str) -> None:
    end = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < end, f"{what} did not happen within a minute"
        time.sleep(0.05)


def count(desk: Desk, record: type[HandOut] | type[ModelVersion]) -> int:
    with desk.database.reading() as session:
        return session.scalar(select(func.count()).select_from(record)) or 0


def test_a_run_that_waits_survives_sigkill_and_is_handed_out_once(database: Database, database_url: str) -> None:
    desk = seeded(opened(database, service_policy()))
    with database.transaction(wait=PATIENT) as session:
        assert request_run(session, desk.queue(), Trigger.COMMAND, CLEO, utc_now(), desk.rules)
    context = multiprocessing.get_context("spawn")
    first, second = (context.Process(target=works, args=(database_url,), daemon=True) for _ in range(2))
    first.start()
    until(lambda: count(desk, HandOut), "the hand-out")
    first.kill()
    first.join()
    assert first.exitcode == -9
    with database.reading() as session:
        waiting = session.scalars(select(HandOut)).one()
        assert session.get_one(TrainingRun, waiting.run_id).state is RunState.RUNNING
    assert not submitted(desk, waiting.snapshot_id, now=utc_now()).repeated
    second.start()
    try:
        until(lambda: count(desk, ModelVersion), "the candidate")
    finally:
        second.kill()
        second.join()
    with database.reading() as session:
        assert session.get_one(TrainingRun, waiting.run_id).state is RunState.DONE
        asked = select(func.count()).select_from(Event).where(Event.kind == EventKind.TRAINING_REQUESTED)
        assert session.scalar(asked) == 1
