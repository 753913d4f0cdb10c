"""A process that receives SIGTERM, or is killed, while a model is fitted: it finishes in time, or another worker takes
over the run. No process is left running, and there is one candidate."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.runtime.clock import utc_now
from bot.sandbox.server import serve
from core.learning.data.seeds import add_seeds
from core.learning.lifecycle.runs import TRAIN, request_run
from core.policy_in_force.sync import sync_queues
from core.queues import queue_named
from core.records.jobs import Job
from core.records.learning import ModelVersion, TrainingRun
from core.storage.database import Database
from core.vocabulary import RunState, Trigger
from tests.flows.conftest import SEEDS
from tests.flows.processes import Bot, forking, goldloop
from tests.people import support_policy, workspace
from tests.reliability import slow_learner

PATIENCE = 60.0


class Worker(Bot):
    """`goldloop worker`, in a session of its own, with a learner that another package has brought."""

    process: ForkServerProcess

    def start(self) -> None:
        self.process = forking().Process(target=worker, args=(self.environment,))
        self.process.start()

    def told_to_end(self) -> float:
        """Seconds until it was gone."""
        assert self.process.pid is not None
        began = time.monotonic()
        os.kill(self.process.pid, signal.SIGTERM)
        self.process.join(PATIENCE)
        return time.monotonic() - began


def worker(environment: dict[str, str]) -> None:
    os.setsid()
    sys.path.insert(0, environment["SLOW_LEARNER"])
    goldloop("worker", environment)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    slow_learner.install(tmp_path)
    return tmp_path


@pytest.fixture
def url() -> Iterator[str]:
    with serve(workspace(), port=0) as address:
        yield address


def requested(database: Database) -> None:
    policy = support_policy()
    with database.transaction() as session:
        sync_queues(session, policy, utc_now())
        add_seeds(session, SEEDS, utc_now(), policy.queues[0])
        request_run(session, queue_named(session, "support"), Trigger.COMMAND, None, utc_now(), policy.queues[0])


def made(database: Database, url: str, folder: Path, stop_seconds: float) -> Worker:
    address = database.engine.url.render_as_string(hide_password=False)
    more = {"SLOW_LEARNER": str(folder), "GOLDLOOP_STOP_SECONDS": str(stop_seconds), "PORT": "0"}
    worker = Worker("worker", url, address, folder, **more)
    policy = folder / "goldloop.toml"
    retraining = '[queues.support.retraining]\nlearner = "slow"\n'
    policy.write_text(f"{policy.read_text(encoding='utf-8')}\n{retraining}", encoding="utf-8")
    return worker


def until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def is_done(database: Database) -> bool:
    with database.reading() as session:
        return session.scalars(select(TrainingRun.state)).one() is RunState.DONE


def job(database: Database) -> Job:
    with database.reading() as session:
        return session.scalars(select(Job).where(Job.name == TRAIN)).one()


def candidates(database: Database) -> int:
    with database.reading() as session:
        return len(session.scalars(select(ModelVersion.id)).all())


def left_running(session: int) -> list[str]:
    """Processes of this session: the worker and whatever it has started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(status.parent.name)
    return found


@pytest.mark.slow
def test_it_finishes_the_fit_if_that_is_soon(database: Database, url: str, folder: Path) -> None:
    requested(database)
    worker = made(database, url, folder, stop_seconds=15)
    worker.start()
    try:
        until((folder / "began").exists)
        assert worker.process.pid is not None
        os.kill(worker.process.pid, signal.SIGTERM)
        (folder / "go on").touch()
        worker.process.join(PATIENCE)
        assert worker.process.exitcode == 0
        assert is_done(database)
        assert candidates(database) == 1
    finally:
        worker.kill()


@pytest.mark.slow
def test_it_hands_a_long_fit_over_and_another_worker_makes_the_candidate(
    database: Database, url: str, folder: Path
) -> None:
    requested(database)
    first, second = (made(database, url, folder, stop_seconds=0.3) for _ in range(2))
    first.start()
    try:
        until((folder / "began").exists)
        pid = first.process.pid
        assert pid is not None
        assert len(left_running(pid)) == 2, "the worker, and the process that fits"
        assert first.told_to_end() < 5
        assert first.process.exitcode == 0
        assert left_running(pid) == []
        assert (job(database).state, job(database).attempts) == ("ready", 0), "as if it had not been taken"
        (folder / "go on").touch()
        second.start()
        until(lambda: is_done(database))
        assert candidates(database) == 1
    finally:
        first.kill()
        if hasattr(second, "process") and second.process:
            second.kill()


@pytest.mark.slow
def test_a_fit_ends_with_its_worker_however_that_ends(database: Database, url: str, folder: Path) -> None:
    requested(database)
    worker = made(database, url, folder, stop_seconds=15)
    worker.start()
    until((folder / "began").exists)
    pid = worker.process.pid
    assert pid is not None
    assert len(left_running(pid)) == 2
    worker.kill()
    killed = time.monotonic()
    until(lambda: left_running(pid) == [])
    assert time.monotonic() - killed < 3


@pytest.mark.slow
def test_a_fit_whose_process_is_killed_is_a_failed_attempt_and_is_made_again(
    database: Database, url: str, folder: Path
) -> None:
    requested(database)
    worker = made(database, url, folder, stop_seconds=15)
    worker.start()
    try:
        until((folder / "began").exists)
        [fit] = set(left_running(worker.process.pid or 0)) - {str(worker.process.pid)}
        os.kill(int(fit), signal.SIGKILL)
        (folder / "go on").touch()
        until(lambda: is_done(database))
        assert candidates(database) == 1
        assert "SIGKILL" in job(database).failure_reason
    finally:
        worker.kill()
