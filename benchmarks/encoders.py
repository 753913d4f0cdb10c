"""The learners on sentence vectors beside the one on n-grams, in one run: accuracy, calibration, errors caught, cost.

    python -m benchmarks.encoders [--full] [--labels] [--set NAME] [--learner NAME] [--data FOLDER]

FOLDER (default: ../shared/data) holds banking77/ and hwu64/, each with train.csv and test.csv, columns text and label.
Ten rows per label, drawn three times, then all rows; with --full also how many labels, chosen by the smallest margin in
rounds, come within half a point of all rows. --labels: that alone. --set, --learner: one alone; can be repeated. Needs
the extra `embed`. Results of one run: benchmarks/encoders.txt.
"""

import argparse
import csv
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.learning.data.inputs import Example, Input
from core.learning.evaluation.paired_tests import calibration_error
from core.learning.learners.base import Fitted, FloatArray
from core.learning.learners.registry import find_learner
from core.learning.learners.vectors import cached_vectors

DATA = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
SETS = ("banking77", "hwu64")
LEARNERS = ("text", "embedding", "blend")
DRAWS, FEW = 3, 10
BUDGET = 0.2
RESAMPLES = 1000
FIRST, ROUND, CLOSE = 0.05, 0.04, 0.005  # of all rows: at first, in each round; below the accuracy with all rows


@dataclass
class Measured:
    accuracy: list[float] = field(default_factory=list)
    error: list[float] = field(default_factory=list)
    caught: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    speed: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Task:
    train: list[Example]
    test: list[Example]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--full", action="store_true")
    arguments.add_argument("--labels", action="store_true")
    arguments.add_argument("--set", action="append", choices=SETS)
    arguments.add_argument("--learner", action="append", choices=LEARNERS, help="of --full and --labels")
    arguments.add_argument("--data", type=Path, default=DATA)
    chosen = arguments.parse_args()
    summary: dict[str, float] = {}
    with cached_vectors():
        for name in chosen.set or SETS:
            task = Task(*(read(chosen.data / name / f"{part}.csv") for part in ("train", "test")))
            if not chosen.labels:
                summary |= _one_set(name, task)
            if chosen.full or chosen.labels:
                summary |= _labels_needed(name, task, chosen.learner or LEARNERS)
    print("SUMMARY", json.dumps({key: round(value, 4) for key, value in summary.items()}))


def read(path: Path) -> list[Example]:
    if not path.exists():
        sys.exit(f"There is no {path}. Give the folder that holds {' and '.join(SETS)} with --data.")
    with path.open(encoding="utf-8", newline="") as file:
        return [Example(Input(row["text"]), row["label"]) for row in csv.DictReader(file)]


def _one_set(name: str, task: Task) -> dict[str, float]:
    """Prints the tables of a data set; the gains for the summary."""
    found: dict[str, float] = {}
    for rows, draws in ((FEW, DRAWS), (0, 1)):
        table = {learner: Measured() for learner in LEARNERS}
        last: dict[str, tuple[FloatArray, NDArray[np.bool_]]] = {}
        for draw in range(draws):
            train = list(_drawn(task.train, rows, draw)) if rows else task.train
            for learner in LEARNERS:
                last[learner] = _measure(learner, train, task.test, table[learner])
        kind = f"{rows} a label" if rows else "all rows"
        _print(f"{name}, {kind}", table)
        for learner in LEARNERS[1:]:
            gain = np.mean(table[learner].accuracy) - np.mean(table["text"].accuracy)
            found[f"{name}_{learner}_{rows or 'all'}"] = float(gain * 100)
        if not rows:
            found |= _caught_beside_text(name, last)
    return found


def _drawn(rows: Sequence[Example], each: int, draw: int) -> Iterator[Example]:
    rng = np.random.default_rng(draw)
    labels = np.array([row.label for row in rows])
    for label in np.unique(labels):
        for place in rng.permutation(np.flatnonzero(labels == label))[:each]:
            yield rows[place]


def _measure(
    name: str, train: Sequence[Example], test: Sequence[Example], into: Measured
) -> tuple[FloatArray, NDArray[np.bool_]]:
    began = time.process_time()
    model = find_learner(name).fit(train, 0, lambda _step: None)
    fitted = time.process_time()
    shares = model.probabilities([row.input for row in test])
    into.seconds.append(fitted - began)
    into.speed.append(len(test) / (time.process_time() - fitted))
    right = _right(model, shares, test)
    into.accuracy.append(float(right.mean()))
    into.error.append(calibration_error(shares.max(axis=1), right))
    into.caught.append(_caught(shares.max(axis=1), right))
    return shares, right


def _right(model: Fitted, shares: FloatArray, test: Sequence[Example]) -> NDArray[np.bool_]:
    said = np.array(model.classes)[shares.argmax(axis=1)]
    return np.array([one == row.label for one, row in zip(said, test, strict=True)])


def _caught(confidence: FloatArray, right: NDArray[np.bool_]) -> float:
    looked_at = np.argsort(confidence, kind="stable")[: int(BUDGET * len(confidence))]
    return float((~right[looked_at]).sum() / max(1, (~right).sum()))


def _caught_beside_text(name: str, last: dict[str, tuple[FloatArray, NDArray[np.bool_]]]) -> dict[str, float]:
    """The errors of `text` that the fifth least certain by another model holds, less those by its own; resampled."""
    shares, right = last["text"]
    own, found = shares.max(axis=1), {}
    for learner in LEARNERS[1:]:
        other = _said_of_the_same(shares, last[learner][0])
        rng, gains = np.random.default_rng(0), []
        for _ in range(RESAMPLES):
            rows = rng.integers(len(right), size=len(right))
            gains.append(_caught(other[rows], right[rows]) - _caught(own[rows], right[rows]))
        low, high = np.quantile(gains, [0.025, 0.975])
        caught, before = _caught(other, right), _caught(own, right)
        print(
            f"{name}: of the errors of text, {caught:.3f} are caught with {learner} in the score, "
            f"{before:.3f} by 1 - p; gain {100 * (caught - before):+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})"
        )
        found |= {f"{name}_caught_{learner}": caught, f"{name}_caught_{learner}_low": float(low * 100)}
    return found


def _said_of_the_same(shares: FloatArray, others: FloatArray) -> FloatArray:
    """What another model gives to the label that `text` says: low where the two disagree."""
    confidences: FloatArray = others[np.arange(len(others)), shares.argmax(axis=1)]
    return confidences


def _labels_needed(name: str, task: Task, learners: Sequence[str]) -> dict[str, float]:
    """Rows are labelled in rounds, those of the smallest margin first; the share that comes close to all rows."""
    found = {}
    for learner in learners:
        whole = find_learner(learner).fit(task.train, 0, lambda _step: None)
        inputs = [row.input for row in task.test]
        wanted = _right(whole, whole.probabilities(inputs), task.test).mean() - CLOSE
        labelled = set(map(int, np.random.default_rng(0).permutation(len(task.train))[: int(FIRST * len(task.train))]))
        while len(labelled) < len(task.train):
            model = find_learner(learner).fit([task.train[place] for place in sorted(labelled)], 0, lambda _step: None)
            accuracy = _right(model, model.probabilities(inputs), task.test).mean()
            print(f"{name}, {learner}: {len(labelled) / len(task.train):.2f} of the labels: {accuracy:.4f}", flush=True)
            if accuracy >= wanted:
                break
            rest = [place for place in range(len(task.train)) if place not in labelled]
            top = np.sort(model.probabilities([task.train[place].input for place in rest]), axis=1)
            margins = top[:, -1] - top[:, -2]
            labelled |= {rest[one] for one in np.argsort(margins, kind="stable")[: int(ROUND * len(task.train))]}
        found[f"{name}_{learner}_labels"] = len(labelled) / len(task.train)
    return found


def _print(title: str, table: dict[str, Measured]) -> None:
    print(f"\n{title:24}{'accuracy':>9}{'ECE':>7}{'caught':>8}{'fit s':>8}{'rows/s':>9}")
    for learner, found in table.items():
        means = [float(np.mean(one)) for one in (found.accuracy, found.error, found.caught, found.seconds, found.speed)]
        print("{:24}{:9.4f}{:7.3f}{:8.3f}{:8.1f}{:9.0f}".format(learner, *means), flush=True)


if __name__ == "__main__":
    main()
