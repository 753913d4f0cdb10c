"""The environment of the rounds: a folder, a source of texts, and a database whose queue has a live model."""

import json
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import delete, func, select

from bot.runtime.clock import utc_now
from bot.runtime.migrate import migrate
from core.records.discovery import Find, Scan, ScanShard
from core.records.jobs import Job
from core.storage.database import Database
from core.vocabulary import ScanState, ShardState
from tests.core.desk import opened
from tests.core.models import THINGS, WISHES, promoted, seeded
from tests.flows.processes import write_policy
from tests.people import support_policy
from tests.postgres import PostgresServer

Kind = Literal["sqlite", "postgresql"]
KINDS: tuple[Kind, ...] = ("sqlite", "postgresql")
FILES = 40
ROWS_PER_FILE = 15_000
WORDS = 14  # of a text: some 100 bytes, so that the source is large enough for a second process until nearly the end


@dataclass(frozen=True)
class Place:
    folder: Path
    source: Path
    database: Database
    environment: dict[str, str]

    def unfinished(self) -> bool:
        """Whether a scan was requested and is not over."""
        with self.database.reading() as session:
            states = session.scalars(select(Scan.state)).all()
        return any(not state.is_over for state in states)

    def is_claimed_by(self, pid: int) -> bool:
        with self.database.reading() as session:
            names = session.scalars(select(Job.leased_by).where(Job.name == "scan", Job.state == "running")).all()
        return any(f":{pid}:" in (name or "") for name in names)

    def parts_read(self) -> int:
        with self.database.reading() as session:
            done = select(func.count()).select_from(ScanShard).where(ScanShard.state == ShardState.DONE)
            return session.scalar(done) or 0

    def forget(self) -> None:
        """The next scan may find the same texts."""
        with self.database.transaction() as session:
            session.execute(delete(Find))

    def problems(self, wanted: int) -> list[str]:
        """What the newest scan has left that it should not have."""
        with self.database.reading() as session:
            scan = session.scalars(select(Scan).order_by(Scan.id.desc()).limit(1)).one()
            finds = session.scalar(select(func.count()).select_from(Find)) or 0
            shards = session.scalar(select(func.count()).select_from(ScanShard)) or 0
            jobs = session.scalars(select(Job.state).where(Job.name == "scan", Job.state != "done")).all()
        found = [] if scan.state is ScanState.DONE else [f"the scan is {scan.state}"]
        found += [] if finds == wanted else [f"{finds} finds, not {wanted}"]
        found += [] if not shards else [f"{shards} parts are left, with their texts"]
        return found + [f"a job is {state}" for state in jobs]

    def digest(self) -> str:
        with self.database.reading() as session:
            return session.scalars(select(Scan.digest).order_by(Scan.id.desc()).limit(1)).one()


@contextmanager
def laid_out(folder: Path, source: Path, kind: Kind) -> Iterator[Place]:
    folder.mkdir(parents=True)
    server = PostgresServer(durable=True) if kind == "postgresql" else None
    url = server.url() if server else f"sqlite:///{folder / 'goldloop.sqlite'}"
    database = Database(url)
    try:
        migrate(database)
        promoted(seeded(opened(database, support_policy())), utc_now())
        policy = str(write_policy(folder))
        yield Place(folder, source, database, {**os.environ, "DATABASE_URL": url, "GOLDLOOP_POLICY": policy})
    finally:
        database.close()
        if server is not None:
            server.close()


def written_source(folder: Path, seed: int, files: int = FILES, rows: int = ROWS_PER_FILE) -> Path:
    """Texts of made-up words; one in ten contains a wish of the queue's kind. None comes twice."""
    folder.mkdir(parents=True)
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdefghilmnoprstu", k=rng.randint(3, 9))) for _word in range(2_000)]
    for file in range(files):
        with (folder / f"{file:03d}.jsonl").open("w", encoding="utf-8") as out:
            for row in range(rows):
                text = " ".join(rng.choices(words, k=WORDS))
                if row % 10 == 0:
                    text = f"{rng.choice(WISHES)[0]} {rng.choice(THINGS)} {rng.choice(WISHES)[0]} {text[:20]}"
                out.write(json.dumps({"id": f"{file}-{row}", "text": f"{text} {file} {row}"}) + "\n")
    return folder
