"""A `goldloop run` at rest: how soon it posts what is committed then, and its memory before and after it trains.

    python -m benchmarks.waking [--posts 20] [--rows 6000]

On each database, notices are committed by this process, seconds apart, so that the worker rests in between. Shown are
the median and the longest time from the end of the commit until the notice was posted. Then a training run on as many
rows is requested, and another one, and the memory (RSS) of the process and its children is shown as it was before, and
20 s after the end of each run and of the search for wrong labels that follows it. The last line is SUMMARY with the
figures as JSON.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from statistics import median
from typing import TypeVar

from sqlalchemy import select

from benchmarks.machine import heading, memory_of
from benchmarks.places import KINDS, Place, place
from benchmarks.processes import environment, free_port, goldloop, running
from benchmarks.training import rows
from core import jobs
from core.delivery import notices
from core.learning.data.seeds import add_seeds
from core.learning.lifecycle.runs import request_run
from core.policy import QueuePolicy
from core.policy.file import load_policy
from core.policy_in_force.sync import sync_queues
from core.queues import queue_named
from core.records.delivery import Notice
from core.records.learning import TrainingRun
from core.storage.database import PATIENT
from core.vocabulary import NoticeKind, RunState, Trigger

POLICY = """
[queues.support]
channel = "C0REVIEW"
leads_channel = "C0LEADS"
leads = ["U0CLEO"]
labels = {labels}
"""
SAID = {"queue": "support", "model": "v1", "hours": 24}
RESTS = 4.0  # seconds after which the worker rests, and up to a second more
SETTLED = 20.0
LONGEST_RUN = 900.0

T = TypeVar("T")


def stock(where: Place, found: Sequence[tuple[str, str]]) -> QueuePolicy:
    """The rows as seeds, a tenth of which is golden."""
    file = where.folder / "goldloop.toml"
    file.write_text(POLICY.format(labels=json.dumps(sorted({label for _text, label in found}))))
    policy = load_policy(file)
    with where.database.transaction(wait=PATIENT) as session:
        sync_queues(session, policy, datetime.now(UTC))
        add_seeds(session, found, datetime.now(UTC), policy.queues[0])
    return policy.queues[0]


def post(where: Place, number: int) -> float:
    """Seconds from the end of the commit until the worker had posted it."""
    key = f"benchmark:{number}"
    with where.database.transaction(wait=PATIENT) as session:
        notices.notify(session, NoticeKind.DECISION_PENDING, key, "C0LEADS", None, SAID, datetime.now(UTC))
    committed = datetime.now(UTC)

    def posted_at() -> datetime | None:
        with where.database.reading() as session:
            return session.query(Notice).filter_by(key=key).one().delivered_at

    return (_awaited(posted_at, 10.0) - committed).total_seconds()


def train(where: Place, queue: QueuePolicy) -> None:
    """Request a run, and wait for its end and that of the jobs that follow from it."""
    with where.database.transaction(wait=PATIENT) as session:
        row = queue_named(session, queue.name)
        run_id = request_run(session, row, Trigger.COMMAND, None, datetime.now(UTC), queue)

    def ended() -> RunState | None:
        with where.database.reading() as session:
            state = session.get_one(TrainingRun, run_id).state
        return state if state in (RunState.DONE, RunState.FAILED) else None

    if _awaited(ended, LONGEST_RUN) is not RunState.DONE:
        sys.exit("The run failed.")

    def rests() -> bool | None:
        with where.database.reading() as session:
            return True if not session.scalar(select(jobs.IS_UNDER_WAY)) else None

    _awaited(rests, LONGEST_RUN)


def measured(where: Place, posts: int, queue: QueuePolicy) -> dict[str, float]:
    slack, port, rng = free_port(), free_port(), random.Random(1)
    with ExitStack() as stack:
        stack.enter_context(running("-m", "benchmarks.slack_stub", str(slack), port=slack))
        env = environment(where.url, where.folder / "goldloop.toml", slack, port)
        process = stack.enter_context(running(*goldloop("run"), env=env, port=port))
        delays = []
        for number in range(posts):
            time.sleep(RESTS + rng.random())
            delays.append(post(where, number))
        time.sleep(SETTLED)
        found = {"median_s": median(delays), "longest_s": max(delays), "before_mb": memory_of(process.pid)}
        for when in ("trained_mb", "again_mb"):
            train(where, queue)
            time.sleep(SETTLED)
            found[when] = memory_of(process.pid)
    return found


def _awaited(ask: Callable[[], T | None], seconds: float) -> T:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (answer := ask()) is not None:
            return answer
        time.sleep(0.05)
    sys.exit(f"Nothing came of it in {seconds:g} s.")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--posts", type=int, default=20)
    parser.add_argument("--rows", type=int, default=6_000)
    options = parser.parse_args()
    figures: dict[str, float] = {}
    print(heading())
    print(f"{'database':12}{'median s':>10}{'longest s':>11}{'RSS MB':>9}{'trained MB':>12}{'again MB':>10}")
    for kind in KINDS:
        with place(kind) as where:
            found = measured(where, options.posts, stock(where, rows()[: options.rows]))
        print(
            f"{kind:12}{found['median_s']:10.2f}{found['longest_s']:11.2f}{found['before_mb']:9.0f}"
            f"{found['trained_mb']:12.0f}{found['again_mb']:10.0f}",
            flush=True,
        )
        figures |= {f"{kind}_{what}": round(value, 2) for what, value in found.items()}
    print(f"SUMMARY {json.dumps(figures)}")


if __name__ == "__main__":
    main()
