"""Does a budget give people the work that was asked for, and the errors that it can find?

    python -m benchmarks.budget [--seeds 3] [--weeks 6] [--budgets "60 a day" "20%"]

A queue whose truth is known plays weeks of traffic through the product's own verbs, on SQLite: about 300 predictions on
a weekday and 110 on a day of the weekend, with 900 on one day of the sixth week. Each prediction is right with its
confidence. The worker's step runs every three hours. The first four weeks are left out. by_chance: the share of the
errors that as many predictions, chosen by chance on each day, would catch on average. Of each figure: the mean over the
seeds and, in brackets, the least and the most. The last line is SUMMARY and the means as JSON."""

import argparse
import json
import tempfile
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from statistics import mean

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks.stock import LABELS, bench_policy
from core.intake.cuts import cut_work, store_cut
from core.intake.ingest import record_predictions
from core.intake.predictions import NewPrediction
from core.intake.waiting import PIECE, open_next
from core.policy import QueuePolicy
from core.policy_in_force.sync import sync_queues
from core.records import Base
from core.records.predictions import Prediction, WaitingPrediction
from core.records.reviews import ReviewItem
from core.storage.database import PATIENT, Database
from core.vocabulary import WaitState

START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
WEEKDAY, WEEKEND, BURST = 300, 110, 900
BURST_DAY = 37
LEARNING = 28  # days that are left out
STEPS = 8  # of the worker in a day

_numbers = count(1)


def play(rng: np.random.Generator, weeks: int, queue: QueuePolicy, place: Path) -> dict[str, float]:
    """One queue from its first day on. Returns its figures; shares are of the days after the fourth week."""
    database = Database(f"sqlite:///{place / f'{next(_numbers)}.db'}")
    Base.metadata.create_all(database.engine)
    with database.transaction(wait=PATIENT) as session:
        sync_queues(session, bench_policy(flagging={"budget": queue.flagging.budget}), START)
    wrong: set[str] = set()
    for day in range(7 * weeks):
        _play_day(database, rng, queue, day, wrong)
    with database.reading(wait=PATIENT) as session:
        figures = _figures(session, 7 * weeks, wrong)
    database.close()
    return figures


def _play_day(database: Database, rng: np.random.Generator, queue: QueuePolicy, day: int, wrong: set[str]) -> None:
    mean_volume = BURST if day == BURST_DAY else WEEKEND if day % 7 > 4 else WEEKDAY
    parts = rng.multinomial(rng.poisson(mean_volume), [1 / STEPS] * STEPS)
    for step, size in enumerate(parts):
        now = START + timedelta(days=day, hours=24 / STEPS * step + 1)
        batch = [_prediction(rng, wrong) for _ in range(size)]
        with database.transaction(wait=PATIENT) as session:
            record_predictions(session, batch, now, queue)
        _work(database, queue, now)


def _work(database: Database, queue: QueuePolicy, now: datetime) -> None:
    with database.transaction(wait=PATIENT) as session:
        if (work := cut_work(session, queue, None, now)) is not None:
            store_cut(session, queue, work.model, work.known, {}, now)
        while open_next(session, queue, now) == PIECE:
            pass


def _prediction(rng: np.random.Generator, wrong: set[str]) -> NewPrediction:
    confidence, name = float(0.3 + 0.7 * rng.beta(4, 0.8)), f"T-{next(_numbers)}"
    if rng.random() > confidence:
        wrong.add(name)
    return NewPrediction(name, "sender-1", f"text of {name}", label=LABELS[0], confidence=confidence)


def _figures(session: Session, days: int, wrong: set[str]) -> dict[str, float]:
    opened = [_opened(session, day) for day in range(LEARNING, days)]
    weekend = [number for day, number in enumerate(opened, LEARNING) if day % 7 > 4]
    weekdays = [number for day, number in enumerate(opened, LEARNING) if day % 7 < 5]
    since = START + timedelta(days=LEARNING)
    mine = select(Prediction.external_id).where(Prediction.created_at >= since)
    came = set(session.scalars(mine)) & wrong
    caught = set(session.scalars(mine.join(ReviewItem))) & wrong
    states = dict(
        session.execute(select(WaitingPrediction.state, func.count()).group_by(WaitingPrediction.state)).all()
    )
    chance = sum(_by_chance(_came(session, day), wrong, n) for day, n in enumerate(opened, LEARNING))
    return {
        "a_weekday": mean(weekdays),
        "a_weekend_day": mean(weekend),
        "most": max(opened),
        "caught": len(caught) / len(came),
        "by_chance": chance / len(came),
        "lapsed": states.get(WaitState.LAPSED, 0),
        "waiting": states.get(WaitState.WAITING, 0),
    }


def _opened(session: Session, day: int) -> int:
    began = START + timedelta(days=day)
    mine = (ReviewItem.opened_at >= began, ReviewItem.opened_at < began + timedelta(days=1))
    return session.scalar(select(func.count()).select_from(ReviewItem).where(*mine)) or 0


def _by_chance(came: set[str], wrong: set[str], opened: int) -> float:
    """The errors of a day that so many of its predictions would hold on average, if drawn by chance."""
    return min(1.0, opened / len(came)) * len(came & wrong) if came else 0.0


def _came(session: Session, day: int) -> set[str]:
    began = START + timedelta(days=day)
    mine = (Prediction.created_at >= began, Prediction.created_at < began + timedelta(days=1))
    return set(session.scalars(select(Prediction.external_id).where(*mine)))


def _range(runs: list[dict[str, float]], name: str) -> str:
    return f"{min(run[name] for run in runs):.3g} to {max(run[name] for run in runs):.3g}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--weeks", type=int, default=6)
    options.add_argument("--budgets", nargs="+", default=["60 a day", "20%"])
    chosen = options.parse_args()
    summary = {}
    for budget in chosen.budgets:
        queue = bench_policy(flagging={"budget": budget}).queues[0]
        with tempfile.TemporaryDirectory() as place:
            runs = [play(np.random.default_rng(seed), chosen.weeks, queue, Path(place)) for seed in range(chosen.seeds)]
        summary[budget] = {name: round(mean(run[name] for run in runs), 3) for name in runs[0]}
        ranges = (f"{name} {value:g} [{_range(runs, name)}]" for name, value in summary[budget].items())
        print(f"{budget}, {len(runs)} seeds: {', '.join(ranges)}", flush=True)
    print("SUMMARY", json.dumps(summary))


if __name__ == "__main__":
    main()
