"""The whole command `goldloop discover`, from its start to the finds, in new processes, on a queue with this model."""

import os
import pickle
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bot.runtime.clock import utc_now
from bot.runtime.migrate import migrate
from core.discovery.scoring import Task
from core.discovery.sources import Shard
from core.learning.data.seeds import add_seeds
from core.storage.database import Database
from tests.core.desk import opened
from tests.core.models import Learned, promoted
from tests.people import LEADS, REVIEW, support_policy

PROGRAM = "from bot.cli.app import main; main()"
ENGINE = """import pickle, sys
from core.discovery.engines import one_process
task, shards = pickle.load(open(sys.argv[1], "rb"))
for _event in one_process(task, shards):
    pass
"""
POLICY = """[queues.support]
channel = "{channel}"
leads_channel = "{leads}"
leads = ["U_CLEO"]
reviewers = ["U_ANA", "U_BEN", "U_EVA"]
labels = [{labels}]
"""


@dataclass(frozen=True)
class Command:
    """A scan of this source, in a folder with a database and a policy."""

    folder: Path
    source: Path

    def __call__(self) -> tuple[float, float]:
        """Seconds by the clock, and of processor time."""
        words = ("discover", str(self.source), "-q", "support", "--text", "text", "--processes", "1")
        environment = {"DATABASE_URL": _url(self.folder), "GOLDLOOP_POLICY": str(self.folder / "goldloop.toml")}
        return _timed([PROGRAM, *words], environment)


def engine_alone(task: Task, shards: list[Shard], folder: Path) -> tuple[float, float]:
    """Seconds by the clock, and of processor time, of scoring these shards in a new process."""
    (folder / "task").write_bytes(pickle.dumps((task, shards)))
    return _timed([ENGINE, str(folder / "task")], {})


def laid_out(folder: Path, source: Path, learned: Learned, rows: list[tuple[str, str]]) -> Command:
    """rows: the texts and labels from which the model has learned."""
    folder.mkdir()
    database, labels = Database(_url(folder)), sorted({label for _text, label in rows})
    try:
        migrate(database)
        desk = opened(database, support_policy(labels=labels))
        with database.transaction() as session:
            add_seeds(session, rows, utc_now(), desk.rules)
        promoted(desk, utc_now(), learned)
    finally:
        database.close()
    named = ", ".join(f'"{label}"' for label in labels)
    (folder / "goldloop.toml").write_text(POLICY.format(channel=REVIEW, leads=LEADS, labels=named), "utf-8")
    return Command(folder, source)


def _timed(program: list[str], environment: dict[str, str]) -> tuple[float, float]:
    before, begun = _processor_seconds(), time.perf_counter()
    subprocess.run([sys.executable, "-c", *program], env={**os.environ, **environment}, check=True, capture_output=True)
    return time.perf_counter() - begun, _processor_seconds() - before


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'goldloop.sqlite'}"


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
