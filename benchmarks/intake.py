"""Throughput of predictions with flagging, beside a plain bulk insert of the same rows.

    python -m benchmarks.intake [--full] [--hard] [--database sqlite|postgresql]

By the API: `goldloop_client.Client` sends batches of 1,000 to `goldloop web`; two of them at once have two batches in
flight. By file: `goldloop ingest` reads JSON lines. The floor reads the same lines and inserts them into the same
table, a thousand to a transaction: nothing is checked, no hash is made, nothing is flagged. About one row in eight is
flagged: a flag, a review item and a card beside the prediction. With --hard all rows are, and each has the
probabilities of 77 labels. Each is a process of its own, timed from its start to its end, without what the same process
takes for no rows at all (the least of three times: whatever runs beside is not to count as its start); rounds are
interleaved. Memory is the most that the process which takes the rows in ever held, and `cpu` the processor time that it
used for one row, in microseconds: PostgreSQL's own is not in it."""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from typing import cast

from sqlalchemy import Table, func, select

from benchmarks.machine import heading, load, peak_memory_of, processor_seconds
from benchmarks.places import KINDS, Place, place
from benchmarks.processes import ROOT, environment, free_port, goldloop, running
from benchmarks.stock import LABELS, Row, bench_policy, policy_toml, texts
from core.people.api_tokens import create_token
from core.policy_in_force.sync import sync_queues
from core.records.predictions import Prediction
from core.records.reviews import ReviewItem
from core.storage.database import PATIENT, Database
from core.vocabulary import Scope
from goldloop_client import Client, Received

BATCH = 1000
UNSURE = 0.08  # share of the rows; with the audit sample about one in eight is flagged
SMALL, FULL = (1, 10_000), (3, 100_000)  # rounds, rows
STARTS = 3
NO_ROWS = 1  # exit code of `goldloop ingest` for a file without rows
FILE = "THE_FILE"  # stands for its name in a command
MANY = tuple(f"label number {number}" for number in range(77))


@dataclass(frozen=True)
class Taken:
    """cpu: seconds of processor time of the process that takes the rows in."""

    seconds: float
    cpu: float
    megabytes: float


def rows(count: int) -> Iterator[Row]:
    rng = random.Random(1)
    for number, (words, label) in enumerate(texts(count, rng), 1):
        sure = rng.uniform(0.4, 0.75) if rng.random() < UNSURE else rng.uniform(0.92, 0.99)
        yield {
            "external_id": f"T-{number}",
            "model_version": "sender-1",
            "text": words,
            "fields": {"channel": "mail", "language": "en"},
            "probabilities": {label: sure, LABELS[(number + 1) % len(LABELS)]: 1 - sure},
        }


def hard_rows(count: int) -> Iterator[Row]:
    """The model is sure of none of them."""
    rng = random.Random(1)
    for number, (words, _label) in enumerate(texts(count, rng), 1):
        weights = [rng.random() for _label in MANY]
        total = sum(weights)
        yield {
            "external_id": f"T-{number}",
            "model_version": "sender-1",
            "text": words,
            "fields": {"channel": "mail", "language": "en"},
            "probabilities": {label: weight / total for label, weight in zip(MANY, weights, strict=True)},
        }


def floor(here: Place, file: Path, policy: Path) -> Taken:
    return _process(here, policy, file, "-m", "benchmarks.intake", "--insert", FILE)


def by_file(here: Place, file: Path, policy: Path) -> Taken:
    return _process(here, policy, file, *goldloop("ingest", FILE, "--queue", "support"))


def by_api(here: Place, file: Path, policy: Path, in_flight: int = 1) -> Taken:
    """The memory is that of `goldloop web`."""
    slack, port = free_port(), free_port()
    with here.database.transaction(wait=PATIENT) as session:
        token = create_token(session, "bench", "0" * 64, [Scope.INGEST], None, datetime.now(UTC))
    env = environment(here.url, policy, slack, port)
    with (
        running("-m", "benchmarks.slack_stub", str(slack), port=slack),
        running(*goldloop("web"), env=env, port=port) as web,
    ):
        address = f"http://127.0.0.1:{port}"
        before = processor_seconds(web.pid)
        taken = _process(here, policy, file, "-m", "benchmarks.intake", "--send", address, token, FILE, str(in_flight))
        return Taken(taken.seconds, processor_seconds(web.pid) - before, peak_memory_of(web.pid))


def insert_all(file: Path) -> None:
    """The floor itself, in its process. On SQLite it waits for the disk at each commit, as the others do by default."""
    database, table = Database(os.environ["DATABASE_URL"], full_sync=True), cast(Table, Prediction.__table__)
    now = datetime.now(UTC)
    with file.open(encoding="utf-8") as lines:
        while batch := [_as_stored(json.loads(line), now) for line in islice(lines, BATCH)]:
            with database.transaction(wait=PATIENT) as session:
                session.connection().execute(table.insert(), batch)


def send_all(address: str, token: str, file: Path, in_flight: int) -> None:
    """So many senders in one process, each with a batch after the other."""

    def send(mine: int) -> Received:
        with file.open(encoding="utf-8") as lines, Client(address, token) as client:
            own = (line for number, line in enumerate(lines) if number // BATCH % in_flight == mine)
            return client.send("support", (json.loads(line) for line in own))

    with ThreadPoolExecutor(in_flight) as senders:
        for sent in senders.map(send, range(in_flight)):
            if sent.rejected:
                sys.exit(f"{len(sent.rejected)} rows were refused: {sent.rejected[0].reason}")


def _as_stored(row: Row, now: datetime) -> Row:
    label, sure = next(iter(row["probabilities"].items()))
    return row | {
        "queue_id": 1, "image_url": None, "label": label, "confidence": sure, "content_hash": "", "created_at": now,
        "erased_at": None,
    }  # fmt: skip


def _process(here: Place, policy: Path, file: Path, *command: str) -> Taken:
    """The command with this file, without what it takes to start: the command with an empty one."""
    env = {**os.environ, **environment(here.url, policy, 1, 1)}
    empty = file.with_name("empty.jsonl")
    empty.touch()
    starts = [_timed(env, [part.replace(FILE, str(empty)) for part in command], NO_ROWS) for _time in range(STARTS)]
    whole = _timed(env, [part.replace(FILE, str(file)) for part in command])
    seconds, cpu = min(one.seconds for one in starts), min(one.cpu for one in starts)
    return Taken(whole.seconds - seconds, whole.cpu - cpu, whole.megabytes)


def _timed(env: dict[str, str], command: list[str], also: int = 0) -> Taken:
    """also: an exit code that means success, beside 0."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *command], env=env, cwd=ROOT, stdout=subprocess.DEVNULL)
    _pid, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, also):
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return Taken(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


WAYS: dict[str, Callable[[Place, Path, Path], Taken]] = {
    "bulk insert": floor, "by file": by_file, "by API": by_api, "by API, two": partial(by_api, in_flight=2),
}  # fmt: skip


def measure(kind: str, name: str, count: int, file: Path, more: Row) -> Taken:
    """Each time on a database that is empty before. more: of the policy."""
    with place(kind) as here:
        with here.database.transaction(wait=PATIENT) as session:
            sync_queues(session, bench_policy(**more), datetime.now(UTC))
        policy = here.folder / "goldloop.toml"
        policy.write_text(policy_toml(**more))
        taken = WAYS[name](here, file, policy)
        with here.database.reading() as session:
            stored = session.scalar(select(func.count()).select_from(Prediction))
            flagged = session.scalar(select(func.count()).select_from(ReviewItem))
    if stored != count:
        raise RuntimeError(f"{name}: {stored} of {count} rows are there")
    rate, cpu = count / taken.seconds, taken.cpu / count * 1e6
    print(
        f"{name:14}{rate:10,.0f}{taken.seconds:9.1f}{cpu:9.1f}{taken.megabytes:9.0f}{flagged:9,}{load():>7}", flush=True
    )
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description="Intake beside a bulk insert.")
    parser.add_argument("--full", action="store_true", help="three rounds of 100,000 rows")
    parser.add_argument("--hard", action="store_true", help="all rows are flagged, with 77 probabilities each")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--database", choices=KINDS, action="append")
    parser.add_argument("--insert", help=argparse.SUPPRESS)
    parser.add_argument("--send", nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.insert:
        insert_all(Path(asked.insert))
    elif asked.send:
        send_all(asked.send[0], asked.send[1], Path(asked.send[2]), int(asked.send[3]))
    else:
        rounds, count = FULL if asked.full else SMALL
        compare(asked.database or KINDS, asked.rounds or rounds, asked.rows or count, asked.hard)


def compare(kinds: tuple[str, ...], rounds: int, count: int, hard: bool) -> None:
    print(heading())
    made, more = (hard_rows(count), {"labels": list(MANY)}) if hard else (rows(count), {})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "predictions.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
        for kind in kinds:
            print(f"{kind}, {count:,} rows\n{'':14}{'rows/s':>10}{'s':>9}{'cpu':>9}{'MB':>9}{'flagged':>9}{'load':>7}")
            found = [{name: measure(kind, name, count, file, more) for name in WAYS} for _round in range(rounds)]
            for name in [name for name in WAYS if name != "bulk insert"]:
                share = median(one["bulk insert"].seconds / one[name].seconds for one in found)
                work = median(one["bulk insert"].cpu / one[name].cpu for one in found)
                print(f"{name}: {share:.2f} x the bulk insert's rate, {work:.2f} by processor time (median)")
            print()


if __name__ == "__main__":
    main()
