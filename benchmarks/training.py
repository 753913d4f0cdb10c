"""What does a training run cost beside the fit and the calibration that it is about?

    python -m benchmarks.training [--full] [--database sqlite|postgresql]

The rows are BANKING77's (Casanueva et al. 2020, arXiv:2003.04807, CC BY 4.0) from ../shared/data; where that folder is
missing, made-up ones with as many labels. A tenth of the seeds is golden, and a tenth of the rows are corrections, most
of which correct a prediction. Each round trains twice in this process and on the same rows: a whole run, from the
gathering of its rows to the stored candidate, and the learner called directly. Shown is processor time, which other
programs on the same cores only ever add to: the ratio that counts is that of the two least times of the rounds. The
last run of the smaller sizes measures the weight of corrections as well.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from statistics import median

import numpy as np

from benchmarks.learners import DATA, read
from benchmarks.machine import heading, load
from benchmarks.places import KINDS, Place, place
from benchmarks.timed_learner import TimedTextLearner
from core import jobs
from core.delivery.card_refs import CardRef
from core.intake.ingest import record_predictions
from core.intake.predictions import checked_prediction
from core.learning.data.seeds import add_seeds
from core.learning.lifecycle.runs import TRAIN, request_run
from core.learning.lifecycle.training import train
from core.policy import Policy
from core.policy.file import parse_policy
from core.policy_in_force.sync import sync_queues
from core.queues import queue_named
from core.records.learning import TrainingRun
from core.records.reviews import ReviewItem
from core.review.votes import NewAnswer, cast_vote
from core.storage.database import PATIENT
from core.vocabulary import AnswerKind, RunState, Trigger

SMALL, FULL = (1_000,), (1_000, 3_000, 10_000)
ROUNDS = 5
MOST_SWEPT = 3_000  # rows; with more, a sweep takes minutes
MOST = 1.15  # times the fit and calibration called directly, for a run without a sweep
LEARNERS = {TimedTextLearner.name: "benchmarks.timed_learner:TimedTextLearner"}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
REVIEWERS = ("U1", "U2")


def rows() -> list[tuple[str, str]]:
    """Text and label, in a random order that is always the same."""
    path = DATA / "banking77" / "train.csv"
    if path.exists():
        found = [(example.input.text, example.label) for example in read(path)]
    else:
        found = [
            (f"{' '.join(f'w{(n * k) % 997}' for k in range(7, 19))} t{n % 77}", f"label {n % 77}")
            for n in range(10_000)
        ]
    return [found[place] for place in np.random.default_rng(0).permutation(len(found))]


def policy_of(labels: Sequence[str], error_weight: float | str) -> Policy:
    queue = {
        "channel": "C1", "leads_channel": "C2", "reviewers": list(REVIEWERS), "leads": ["U3"], "labels": list(labels),
        "review": {"blind_share": 0.0}, "workload": {"daily_cap": 10_000},
        "retraining": {"corrections": 0, "error_weight": error_weight, "learner": TimedTextLearner.name},
    }  # fmt: skip
    return parse_policy({"queues": {"bench": queue}}, "the benchmark")


def stock(where: Place, found: Sequence[tuple[str, str]], policy: Policy) -> None:
    """Nine tenths of the rows as seeds, the others as corrections, nine in ten of which correct a prediction."""
    queue, cut = policy.queues[0], len(found) * 9 // 10
    with where.database.transaction(wait=PATIENT) as session:
        sync_queues(session, policy, NOW)
        add_seeds(session, found[:cut], NOW, queue)
        for number, (text, label) in enumerate(found[cut:]):
            said = label if number % 10 == 0 else queue.label_names[number % len(queue.label_names)]
            row = {"external_id": f"T{number}", "model_version": "v", "text": text, "label": said, "confidence": 0.5}
            record_predictions(session, [checked_prediction(row, queue)], NOW, queue)
    clicks = count(1_700_000_000_000_000)
    with where.database.reading() as session:
        items = [item.id for item in session.query(ReviewItem).order_by(ReviewItem.id)]
    for item, (_text, label) in zip(items, found[cut:], strict=True):
        with where.database.transaction(wait=PATIENT) as session:
            for person in REVIEWERS:
                said = NewAnswer(AnswerKind.LABEL, next(clicks), label)
                cast_vote(session, CardRef(item), person, said, NOW, policy)


def measure_run(where: Place, policy: Policy) -> tuple[float, TrainingRun]:
    """Processor seconds of a run from its claim to its candidate, and the run. The request is made beforehand."""
    ticks = count()
    with where.database.transaction(wait=PATIENT) as session:
        run_id = request_run(session, queue_named(session, "bench"), Trigger.COMMAND, None, NOW, policy.queues[0])
    began = time.process_time()
    with where.database.transaction(wait=PATIENT) as session:
        claimed = jobs.claim(session, TRAIN, "bench", NOW)
    if claimed is None:
        sys.exit("There is no training run to take.")
    train(where.database, claimed, lambda: NOW + timedelta(seconds=next(ticks)), policy, extra_learners=LEARNERS)
    seconds = time.process_time() - began
    with where.database.reading() as session:
        run = session.get_one(TrainingRun, run_id)
        if run.state is not RunState.DONE:
            sys.exit(f"The run failed: {run.problem} {run.problem_values}")
        return seconds, run


def measure_size(kind: str, size: int) -> float:
    """Prints the figures; returns the median ratio of a run without a sweep to the fit within it."""
    found = rows()[:size]
    labels = sorted({label for _text, label in found})
    fixed, auto = policy_of(labels, 2.0), policy_of(labels, "auto")
    ratios = []
    # One connection stays open, as in a worker: SQLite merges its log into the file when the last one is closed.
    with place(kind) as where, where.database.engine.connect():
        stock(where, found, fixed)
        where.analyze()
        measure_run(where, fixed)  # what is loaded and compiled once
        for _round in range(ROUNDS):
            whole, _run = measure_run(where, fixed)
            fit, trained = TimedTextLearner.seconds, TimedTextLearner.rows
            ratios.append(whole / fit)
            print(f"{kind:11}{trained:7}{fit:9.2f}{whole:9.2f}{ratios[-1]:8.2f}{load():>7}", flush=True)
        print(f"{'median':11}{trained:7}{'':18}{median(ratios):8.2f}", flush=True)
        if size <= MOST_SWEPT:
            whole, run = measure_run(where, auto)
            print(f"{'':18}{'with sweep':>9}{whole:8.2f}{whole / TimedTextLearner.seconds:8.2f}{load():>7}", flush=True)
            print_trials(run)
    return median(ratios)


def print_trials(run: TrainingRun) -> None:
    for trial in run.weighing_values["trials"]:
        weight, accuracy, seconds = f"{trial['weight']:g}", trial["accuracy"], trial["seconds"]
        print(f"{'':20}weight {weight}: accuracy on held-out rows {accuracy:.4f}, {seconds:.1f} s elapsed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="the sizes of the committed result")
    parser.add_argument("--database", choices=KINDS, default="sqlite")
    chosen = parser.parse_args()
    print(heading())
    print(f"{'database':11}{'rows':>7}{'fit, s':>9}{'run, s':>9}{'ratio':>8}{'load':>7}")
    worst = max(measure_size(chosen.database, size) for size in (FULL if chosen.full else SMALL))
    print(f"\nA run without a sweep costs at most {worst:.2f} times its fit and calibration (the target is {MOST}).")


if __name__ == "__main__":
    main()
