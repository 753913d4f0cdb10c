"""What a worker has loaded after a training run and its report: the libraries that compute and draw are in processes of
their own, since Python gives the memory of a library never back."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.runtime.clock import utc_now
from bot.runtime.migrate import migrate
from bot.sandbox.server import serve
from core.learning.data.seeds import add_seeds
from core.learning.lifecycle.runs import request_run
from core.policy_in_force.sync import sync_queues
from core.queues import queue_named
from core.records.delivery import Posting
from core.storage.database import Database
from core.vocabulary import Card, Trigger
from tests.flows.conftest import SEEDS
from tests.flows.processes import Bot
from tests.people import support_policy, workspace

PATIENCE = 100.0
RUN = "import sys; from bot.cli.app import main; sys.argv = ['goldloop', 'worker']; main()"


def request_training(database: Database) -> None:
    policy = support_policy()
    with database.transaction() as session:
        sync_queues(session, policy, utc_now())
        add_seeds(session, SEEDS, utc_now(), policy.queues[0])
        request_run(session, queue_named(session, "support"), Trigger.COMMAND, None, utc_now(), policy.queues[0])


def is_reported(database: Database) -> bool:
    """With the chart, which comes last."""
    charts = select(func.count()).where(Posting.card == Card.CHART, Posting.delivered_version > 0)
    with database.reading() as session:
        return session.scalar(charts) == 1


def until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux says what a process has loaded")
def test_after_a_run_and_its_report_a_worker_has_loaded_no_library_that_computes_or_draws(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'goldloop.sqlite'}"
    database = Database(address)
    migrate(database)
    request_training(database)
    with closing(database), serve(workspace(), port=0) as url:
        environment = os.environ | Bot("worker", url, address, tmp_path, PORT="0").environment
        with subprocess.Popen([sys.executable, "-c", RUN], env=environment) as worker:
            try:
                until(lambda: is_reported(database))
                loaded = Path(f"/proc/{worker.pid}/maps").read_text()
            finally:
                worker.kill()
    for library in ("numpy", "scipy", "sklearn", "matplotlib", "PIL"):
        assert (f"/{library}/" in loaded) == (library == "numpy")
