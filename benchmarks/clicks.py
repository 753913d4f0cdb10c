"""Latency from a click to its acknowledgement, beside the minimum work for one.

    python -m benchmarks.clicks [--full] [--database sqlite|postgresql]

Sixteen clients vote as fast as they are answered, by signed HTTP on `goldloop web` in its own process: from the click
over the commit to the acknowledgement. The floor (benchmarks/floor.py) and the least Slack app that does the floor's
work (benchmarks/least_app.py) are given the same requests. Rounds of them are interleaved, as other work on the machine
comes and goes; what counts is the ratio within a round. Also measured: two `goldloop web` that share the clients, as
behind a load balancer; one client alone; and on SQLite one with `synchronous=FULL`, on a database of its own. Then the
load again on one, from when a worker beside it has begun to retrain (on ten thousand rows with --full). cpu: what the
servers' processes used for one click, its receipt included. All have uvicorn with the same event loop and parser.

The last line is `SUMMARY` and a JSON object: medians over the rounds, `_x` in multiples of the floor of the same
round."""

import argparse
import json
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from statistics import median

import httpx
from sqlalchemy import func, select

from benchmarks import floor
from benchmarks.load import CLIENTS, SECRET, Click, Measured, Server, clicks, hit
from benchmarks.machine import heading, load
from benchmarks.places import KINDS, Place, place
from benchmarks.processes import environment, free_port, goldloop, running
from benchmarks.stock import Sizes, bench_policy, fill, policy_toml
from bot.slack.views import review_item
from core.learning.lifecycle.runs import request_run
from core.queues import queue_named
from core.records.learning import TrainingRun
from core.records.reviews import Answer
from core.review.cards import item_card
from core.storage.database import PATIENT
from core.vocabulary import RunState, RunStep, Trigger

PORTION = 160  # items between two looks whether the model is there: twenty clicks of each client
LONGEST = 120.0  # seconds until the worker begins, and of load while it retrains
UNDER_WAY = (RunState.REQUESTED, RunState.RUNNING)
FLOOR, LEAST, OURS, TWO = "the floor", "the least Slack app", "Goldloop", "two processes of it"
FULL_SYNC = "with synchronous=FULL"  # as Goldloop configures it; the others, the floor too, run with NORMAL
ALONE, TURNS = 240, 12  # items on which one client votes by itself, and the turns that it takes at each server
WARM = 4  # clicks of each client before the first round, so that every connection and statement is there
Summary = dict[str, float]
COLUMNS = f"{'':30}{'votes/s':>9}{'p50':>8}{'p95':>8}{'p99':>8}{'max':>8}{'cpu':>7} ms{'failed':>8}{'load':>7}"


@dataclass(frozen=True)
class Size:
    rounds: int
    votes: int  # of one client in one round
    history: int  # items that were voted on before, as in a database that is in use; nine tenths are learned from
    spare: int  # items to vote on while that is done


SMALL, FULL = Size(1, 25, 2000, 2000), Size(3, 60, 11_000, 15_000)


@dataclass(frozen=True)
class Bench:
    place: Place
    slack: int
    servers: dict[str, tuple[Server, ...]]  # who is measured, by name
    policy: Path
    items: int  # to be clicked on
    heard: list[Measured] = field(default_factory=list)  # of ours

    def hit(self, name: str, own: list[list[Click]]) -> Measured:
        found = hit(self.servers[name], own)
        if name in (OURS, TWO):
            self.heard.append(found)
        return found

    def clicks(self, items: Sequence[int], rng: random.Random) -> list[list[Click]]:
        with self.place.database.reading() as session:
            drawn = review_item.render(item_card(session, 1, bench_policy())).blocks
        return clicks(items, drawn, f"http://127.0.0.1:{self.slack}", rng)


@contextmanager
def bench(kind: str, items: int, history: int) -> Iterator[Bench]:
    """All servers up, those that are compared with us each on a database of its own with as many items."""
    with ExitStack() as stack:
        here, beside, third = (stack.enter_context(place(kind)) for _ in range(3))
        safe = [stack.enter_context(place(kind))] if kind == "sqlite" else []
        for one in (here, *safe):
            fill(one.database, Sizes(items + history, items + history, fresh=items), datetime.now(UTC))
            one.analyze()
        for other in (beside, third):
            floor.make_tables(other.database.engine, items)
        policy = here.folder / "goldloop.toml"
        policy.write_text(policy_toml())
        slack, bare, app = (free_port() for _ in range(3))
        stack.enter_context(running("-m", "benchmarks.slack_stub", str(slack), port=slack))
        nothing = stack.enter_context(running("-m", "benchmarks.floor", beside.url, str(bare), SECRET, port=bare))
        bolt = ("-m", "benchmarks.least_app", third.url, str(app), SECRET, str(slack))
        least = stack.enter_context(running(*bolt, port=app))
        one, two = (stack.enter_context(web(here, policy, slack)) for _ in range(2))
        servers = {
            FLOOR: (Server(bare, nothing.pid),), LEAST: (Server(app, least.pid),), OURS: (one,), TWO: (one, two),
        }  # fmt: skip
        for of in safe:
            servers[FULL_SYNC] = (stack.enter_context(web(of, policy, slack, full_sync=True)),)
        yield Bench(here, slack, servers, policy, items)


@contextmanager
def web(here: Place, policy: Path, slack: int, full_sync: bool = False) -> Iterator[Server]:
    port = free_port()
    env = environment(here.url, policy, slack, port) | {"GOLDLOOP_SQLITE_FULL_SYNC": str(full_sync)}
    with running(*goldloop("web"), env=env, port=port) as process:
        yield Server(port, process.pid)


def rounds(made: Bench, size: Size, rng: random.Random) -> Iterator[dict[str, Measured]]:
    """One after the other, on as many clicks each; who begins takes turns. All are given the same but for the two, who
    vote on our database too."""
    yet = count(1)

    def clicks_each(votes: int) -> dict[str, list[list[Click]]]:
        one, two = (made.clicks(list(islice(yet, CLIENTS * votes // 2)), rng) for _ in range(2))
        own = {FLOOR: one, LEAST: one, OURS: one, TWO: two, FULL_SYNC: one}
        return {name: clicks for name, clicks in own.items() if name in made.servers}

    for name, own in clicks_each(WARM).items():
        made.hit(name, own)
    for number in range(size.rounds):
        now = clicks_each(size.votes)
        order = list(now)[number % len(now) :] + list(now)[: number % len(now)]
        yield {name: made.hit(name, now[name]) for name in order}


def compare(made: Bench, size: Size, rng: random.Random) -> Summary:
    """The medians over the rounds."""
    found = []
    for number, now in enumerate(rounds(made, size, rng), 1):
        for name, measured in now.items():
            beside = "" if name == FLOOR else _beside(measured, now[FLOOR])
            print(_line(f"round {number}: {name}", measured) + beside, flush=True)
        found.append(now)
    kind, ours = made.place.kind, [now[OURS] for now in found]
    summary = {f"{kind}_{name}": value for name, value in _multiples(found).items()}
    summary[f"{kind}_p99_ms"] = median(one.at(0.99) for one in ours)
    summary[f"{kind}_votes_per_second"] = median(one.per_second for one in ours)
    return summary


def _beside(measured: Measured, bare: Measured) -> str:
    p50, cpu = measured.at(0.5) / bare.at(0.5), measured.processor_ms / bare.processor_ms
    return f"   p50 {p50:.2f} x floor, cpu {cpu:.2f} x"


def _multiples(found: Sequence[dict[str, Measured]]) -> Summary:
    """Of the floor's p50, votes per second and processor time of a click in the same round; of full_sync, ours."""

    def p50(name: str, of: str) -> float:
        return median(now[name].at(0.5) / now[of].at(0.5) for now in found)

    def votes(name: str) -> float:
        return median(now[name].per_second / now[FLOOR].per_second for now in found)

    summary = {"p50_x": p50(OURS, FLOOR), "votes_x": votes(OURS), "least_p50_x": p50(LEAST, FLOOR)}
    summary["cpu_x"] = median(now[OURS].processor_ms / now[FLOOR].processor_ms for now in found)
    summary |= {"two_p50_x": p50(TWO, FLOOR), "two_votes_x": votes(TWO)}
    if FULL_SYNC in found[0]:
        summary["full_sync_p50_of_ours"] = p50(FULL_SYNC, OURS)
        summary["full_sync_votes_of_ours"] = median(now[FULL_SYNC].per_second / now[OURS].per_second for now in found)
    return summary


def alone(made: Bench, items: Sequence[int], rng: random.Random) -> Summary:
    """One client, on the floor and on ours in turns. The multiple is the median of those of the turns."""
    bare, ours, multiples = Measured(), Measured(), []
    for turn in range(TURNS):
        mine = [[click for one in made.clicks(items[turn::TURNS], rng) for click in one]]
        now = {name: made.hit(name, mine) for name in ((FLOOR, OURS) if turn % 2 else (OURS, FLOOR))}
        bare, ours = bare + now[FLOOR], ours + now[OURS]
        multiples.append(now[OURS].at(0.5) / now[FLOOR].at(0.5))
    print(_line(f"one client: {FLOOR}", bare))
    print(_line(f"one client: {OURS}", ours) + f"   p50 {median(multiples):.2f} x floor", flush=True)
    return {f"{made.place.kind}_one_client_p50_x": median(multiples)}


def during_a_retrain(made: Bench, items: Sequence[int], rng: random.Random) -> Summary:
    """The same load from when the worker has taken the run until its report is made, or for two minutes. On a quick
    machine the items may be used up before."""
    run_id = _ask_for_a_model(made.place)
    env = environment(made.place.url, made.policy, made.slack, free_port())
    with running(*goldloop("worker"), env=env, port=int(env["PORT"])):
        _wait_until_taken(made.place, run_id)
        ours, began, left = Measured(), time.monotonic(), list(items)
        while _state(made.place, run_id) in UNDER_WAY and left and time.monotonic() - began < LONGEST:
            now, left = left[:PORTION], left[PORTION:]
            ours += made.hit(OURS, made.clicks(now, rng))  # signed now: after five minutes no signature is valid
        state, spent = _state(made.place, run_id), time.monotonic() - began
        print(f"{_line('during a retrain', ours)}   run {state} after {spent:.0f} s")
    return {f"{made.place.kind}_retrain_p99_ms": ours.at(0.99)}


def _wait_until_taken(here: Place, run_id: int) -> None:
    """A run that weighs its corrections is under way long before it has its rows, and with them its next state."""
    began = time.monotonic()
    while not _is_taken(here, run_id):
        if time.monotonic() - began > LONGEST:
            raise RuntimeError("the worker does not begin; SHOW=1 shows why")
        time.sleep(0.05)


def _is_taken(here: Place, run_id: int) -> bool:
    with here.database.reading() as session:
        run = session.get_one(TrainingRun, run_id)
        return run.state is not RunState.REQUESTED or run.progress != RunStep.WAITING


def _ask_for_a_model(here: Place) -> int:
    policy = bench_policy().queues[0]
    with here.database.transaction(wait=PATIENT) as session:
        queue = queue_named(session, policy.name)
        asked = request_run(session, queue, Trigger.COMMAND, None, datetime.now(UTC), policy)
        return asked or session.scalar(select(func.max(TrainingRun.id))) or 0


def _state(here: Place, run_id: int) -> RunState:
    with here.database.reading() as session:
        return session.get_one(TrainingRun, run_id).state


def _line(name: str, found: Measured) -> str:
    times = "".join(f"{found.at(share):8.1f}" for share in (0.5, 0.95, 0.99, 1.0))
    return f"{name:30}{found.per_second:9.0f}{times}{found.processor_ms:7.2f}   {found.failed:8}{load():>7}"


def check(made: Bench) -> None:
    """Each acknowledged click is stored, or its person was told to try again; else the figures are worth nothing."""
    acknowledged = sum(len(found.times) - found.failed for found in made.heard)
    with made.place.database.reading() as session:
        stored = session.scalar(select(func.count()).where(Answer.item_id <= made.items)) or 0
    told = _told_to_try_again(made.slack, acknowledged - stored)
    print(f"clicks acknowledged {acknowledged}: stored {stored}, told to try again {told}")
    if acknowledged != stored + told:
        raise RuntimeError("clicks were lost")


def _told_to_try_again(slack: int, expected: int) -> int:
    """That is said after the acknowledgement: the last may still be on the way."""
    deadline = time.monotonic() + 10
    while True:
        told: int = httpx.post(f"http://127.0.0.1:{slack}/").json()["refusals"]
        if told >= expected or time.monotonic() > deadline:
            return told
        time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description="Clicks beside the floor.")
    parser.add_argument("--full", action="store_true", help="three rounds of 60 votes each, 10,000 rows to learn from")
    parser.add_argument("--database", choices=KINDS, action="append")
    asked = parser.parse_args()
    size = FULL if asked.full else SMALL
    print(heading())
    summary: Summary = {}
    for kind in asked.database or KINDS:
        counted = CLIENTS * (WARM + size.rounds * size.votes) + ALONE
        with bench(kind, counted + size.spare, size.history) as made:
            rng = random.Random(1)
            print(f"{kind}\n{COLUMNS}")
            summary |= compare(made, size, rng)
            summary |= alone(made, range(counted - ALONE + 1, counted + 1), rng)
            summary |= during_a_retrain(made, range(counted + 1, counted + size.spare + 1), rng)
            check(made)
            print()
    print(f"SUMMARY {json.dumps({name: round(value, 2) for name, value in summary.items()})}")


if __name__ == "__main__":
    main()
