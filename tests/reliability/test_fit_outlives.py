"""The database goes away while a model is fitted: the lease is renewed again when it is back, and a run that could not
store its candidate makes it later. It has not failed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from slack_sdk import WebClient
from sqlalchemy import select

from bot.runtime.clock import utc_now
from bot.runtime.services import assemble
from bot.sandbox.client import SandboxClient
from bot.worker.training import train_next
from core.learning.data.seeds import add_seeds
from core.learning.lifecycle.runs import TRAIN, request_run
from core.policy_in_force.sync import sync_queues
from core.queues import queue_named
from core.records.jobs import Job
from core.records.learning import ModelVersion, TrainingRun
from core.storage.database import Database
from core.vocabulary import RunState, Trigger
from tests.flows.conftest import SEEDS
from tests.people import support_policy
from tests.reliability import slow_learner
from tests.reliability.proxy import Proxy

PATIENCE = 60.0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    slow_learner.install(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("SLOW_LEARNER", str(tmp_path))
    return tmp_path


def until(happened: Callable[[], object]) -> None:
    with SandboxClient("http://127.0.0.1:9") as box:
        box.wait_for(happened, PATIENCE)


def job(database: Database) -> Job:
    with database.reading() as session:
        return session.scalars(select(Job).where(Job.name == TRAIN)).one()


@pytest.mark.slow
def test_a_run_outlives_an_absent_database(
    shaky: Database, straight: Database, proxy: Proxy, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    policy = support_policy(retraining={"corrections": 0, "learner": "slow"})
    with straight.transaction() as session:
        sync_queues(session, policy, utc_now())
        add_seeds(session, SEEDS, utc_now(), policy.queues[0])
        request_run(session, queue_named(session, "support"), Trigger.COMMAND, None, utc_now(), policy.queues[0])
    services = assemble(shaky, WebClient(), policy)
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(train_next, services)
        until((folder / "began").exists)
        first_lease = job(straight).leased_until
        proxy.refusing = True
        proxy.reset_all()
        until(lambda: proxy.refused)  # the renewal of the lease
        proxy.refusing = False
        until(lambda: job(straight).leased_until != first_lease)
        proxy.refusing = True
        proxy.reset_all()
        (folder / "go on").touch()
        until(lambda: "Job postponed" in caplog.text)  # the candidate could not be stored
        proxy.refusing = False
        assert working.result(PATIENCE)
    assert (job(straight).state, job(straight).attempts) == ("ready", 0), "as if it had not been taken"
    assert train_next(services)
    with straight.reading() as session:
        assert session.scalars(select(TrainingRun.state)).all() == [RunState.DONE]
        assert len(session.scalars(select(ModelVersion.id)).all()) == 1
