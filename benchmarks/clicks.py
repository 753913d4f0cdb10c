"""How long does a person wait for a click to be acknowledged, beside the least that can be done for one?

    python -m benchmarks.clicks [--full] [--database sqlite|postgresql]

Sixteen clients vote as fast as they are answered, by signed HTTP on `goldloop web` in its own process: from the click
over the commit to the acknowledgement. The floor (benchmarks/floor.py) is given the same requests. Rounds of the two
are interleaved, as other work on the machine comes and goes; what counts is the ratio within a round. Then the same
load again, while a worker beside it retrains on ten thousand rows. cpu: what the server's process used for one click,
its receipt to the voter included.
"""

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from sqlalchemy import func, select

from benchmarks import floor
from benchmarks.load import CLIENTS, SECRET, Click, Measured, Server, clicks, hit
from benchmarks.machine import heading, load
from benchmarks.places import KINDS, Place, place
from benchmarks.processes import environment, free_port, goldloop, running
from benchmarks.stock import Sizes, bench_policy, fill, policy_toml, texts
from bot.slack.views import review_item
from core.database import PATIENT
from core.learning.runs import request_run
from core.learning.seeds import add_seeds
from core.queues import queue_named
from core.records.learning import TrainingRun
from core.records.reviews import Answer
from core.review.cards import item_card
from core.vocabulary import RunState, Trigger

PORTION = 160  # items between two looks whether the model is there: twenty clicks of each client
LONGEST = 120.0  # seconds of load during a retrain
UNDER_WAY = (RunState.REQUESTED, RunState.RUNNING)
WARM = 4  # clicks of each client before the first round, so that every connection and statement is there
COLUMNS = f"{'':30}{'votes/s':>9}{'p50':>8}{'p95':>8}{'p99':>8}{'max':>8}{'cpu':>7} ms{'failed':>8}{'load':>7}"


@dataclass(frozen=True)
class Size:
    rounds: int
    votes: int  # of one client in one round
    training_rows: int


SMALL, FULL = Size(1, 25, 1000), Size(3, 60, 10_000)


@dataclass(frozen=True)
class Bench:
    place: Place
    slack: int
    ours: Server
    floor: Server
    policy: Path

    def clicks(self, items: Sequence[int], rng: random.Random) -> list[list[Click]]:
        with self.place.database.reading() as session:
            drawn = review_item.render(item_card(session, 1, bench_policy())).blocks
        return clicks(items, drawn, f"http://127.0.0.1:{self.slack}", rng)


@contextmanager
def bench(kind: str, items: int) -> Iterator[Bench]:
    """Both servers up, each on a database of its own with as many open items."""
    with ExitStack() as stack:
        here, beside = stack.enter_context(place(kind)), stack.enter_context(place(kind))
        fill(here.database, Sizes(items, items, fresh=True), datetime.now(UTC))
        here.analyze()
        floor.make_tables(beside.database.engine, items)
        policy = here.folder / "goldloop.toml"
        policy.write_text(policy_toml())
        slack, ours, bare = free_port(), free_port(), free_port()
        stack.enter_context(running("-m", "benchmarks.slack_stub", str(slack), port=slack))
        env = environment(here.url, policy, slack, ours)
        web = stack.enter_context(running(*goldloop("web"), env=env, port=ours))
        least = stack.enter_context(running("-m", "benchmarks.floor", beside.url, str(bare), SECRET, port=bare))
        yield Bench(here, slack, Server(ours, web.pid), Server(bare, least.pid), policy)


def rounds(made: Bench, size: Size, rng: random.Random) -> Iterator[tuple[Measured, Measured]]:
    """The floor and ours, one after the other, on the same clicks; who begins takes turns."""
    each = CLIENTS * size.votes // 2
    warm = CLIENTS * WARM // 2
    for server in (made.floor, made.ours):
        hit(server, made.clicks(range(1, warm + 1), rng))
    for number in range(size.rounds):
        own = made.clicks(range(warm + 1 + number * each, warm + 1 + (number + 1) * each), rng)
        order = ("floor", "ours") if number % 2 == 0 else ("ours", "floor")
        found = {name: hit(getattr(made, name), own) for name in order}
        yield found["floor"], found["ours"]


def compare(made: Bench, size: Size, rng: random.Random) -> None:
    ratios = []
    for number, (bare, ours) in enumerate(rounds(made, size, rng), 1):
        ratios.append(ours.at(0.5) / bare.at(0.5))
        print(_line(f"round {number}: the floor", bare))
        print(_line(f"round {number}: Goldloop", ours) + f"   p50 {ratios[-1]:.2f} x floor", flush=True)
    print(f"median of the rounds: p50 {median(ratios):.2f} x floor")


def during_a_retrain(made: Bench, items: Sequence[int], size: Size, rng: random.Random) -> None:
    """The same load from before the worker takes the run until its report is made, or for two minutes."""
    run_id = _ask_for_a_model(made.place, size.training_rows)
    env = environment(made.place.url, made.policy, made.slack, free_port())
    with running(*goldloop("worker"), env=env, port=int(env["PORT"])):
        ours, began, left = Measured(), time.monotonic(), list(items)
        while _state(made.place, run_id) in UNDER_WAY and left and time.monotonic() - began < LONGEST:
            now, left = left[:PORTION], left[PORTION:]
            ours += hit(made.ours, made.clicks(now, rng))  # signed now: after five minutes no signature is valid
        state, spent = _state(made.place, run_id), time.monotonic() - began
        print(f"{_line('during a retrain', ours)}   run {state} after {spent:.0f} s")


def _ask_for_a_model(here: Place, rows: int) -> int:
    policy = bench_policy().queues[0]
    with here.database.transaction(wait=PATIENT) as session:
        add_seeds(session, list(texts(rows, random.Random(2))), datetime.now(UTC), policy)
        queue = queue_named(session, policy.name)
        asked = request_run(session, queue, Trigger.COMMAND, None, datetime.now(UTC), policy)
        return asked or session.scalar(select(func.max(TrainingRun.id))) or 0


def _state(here: Place, run_id: int) -> RunState:
    with here.database.reading() as session:
        return session.get_one(TrainingRun, run_id).state


def _line(name: str, found: Measured) -> str:
    times = "".join(f"{found.at(share):8.1f}" for share in (0.5, 0.95, 0.99, 1.0))
    return f"{name:30}{found.per_second:9.0f}{times}{found.processor_ms:7.2f}   {found.failed:8}{load():>7}"


def check(made: Bench, acknowledged: int) -> None:
    """Each acknowledged vote is stored, or the figures are worth nothing."""
    with made.place.database.reading() as session:
        stored = session.scalar(select(func.count()).select_from(Answer))
    print(f"acknowledged {acknowledged}, stored {stored}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Clicks beside the floor.")
    parser.add_argument("--full", action="store_true", help="three rounds of 60 votes each, 10,000 training rows")
    parser.add_argument("--database", choices=KINDS, action="append")
    asked = parser.parse_args()
    size = FULL if asked.full else SMALL
    print(heading())
    for kind in asked.database or KINDS:
        counted = CLIENTS * (WARM + size.rounds * size.votes) // 2
        spare = size.training_rows
        with bench(kind, counted + spare) as made:
            rng = random.Random(1)
            print(f"{kind}\n{COLUMNS}")
            compare(made, size, rng)
            during_a_retrain(made, range(counted + 1, counted + spare + 1), size, rng)
            print()


if __name__ == "__main__":
    main()
