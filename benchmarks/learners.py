"""Accuracy and speed of the built-in text learner, beside a plain reference in the same run.

    python benchmarks/learners.py [FOLDER] [--speed]

--speed: only how fast texts are read, beside the same model with scikit-learn's own vectorizers. The two take turns,
batch by batch, on one core, so the ratio holds on a busy machine, too; the milliseconds do not. The last line is
SUMMARY with the figures as JSON.

FOLDER (default: ../shared/data) holds banking77/ and clinc150/, each with train.csv and test.csv, columns text and
label (Casanueva et al. 2020, arXiv:2003.04807, CC BY 4.0; Larson et al. 2019, EMNLP, CC BY 3.0). They are read, never
shipped. Texts in no category: those that CLINC150 labels "oos". Both test sets were looked at while the learner was
designed, so these are development numbers. Results of one run: benchmarks/learners.txt.
"""

import argparse
import csv
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from core.learning.data.inputs import Example, Input
from core.learning.evaluation.paired_tests import calibration_error
from core.learning.learners.base import FloatArray, Progress, State
from core.learning.learners.text import TextLearner, TextModel
from core.vocabulary import Modality

DATA = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
THRESHOLD = 0.8  # the default of flagging.confidence
TURN = 100  # single texts that a model reads before it is the turn of the other
OUTSIDE = "oos"
COLUMNS = (
    ("task", "28"), ("learner", "12"), ("rows", ">6"), ("acc.", ">8"), ("ECE", ">7"), ("flagged", ">9"),
    ("right", ">8"), ("foreign", ">9"), ("fit s", ">8"), ("rows/s", ">9"),
)  # fmt: skip


@dataclass(frozen=True)
class ReferenceModel:
    classes: tuple[str, ...]
    pipeline: Pipeline
    reads = (Modality.TEXT,)

    def probabilities(self, inputs: Sequence[Input]) -> FloatArray:
        shares: FloatArray = self.pipeline.predict_proba([one.text for one in inputs])
        return shares

    def state(self) -> State:
        return {"pipeline": self.pipeline}


class ReferenceLearner:
    """What one would write first: words (1 to 2), TF-IDF, logistic regression; not calibrated."""

    name = "words + LR"
    runtime = f"scikit-learn {sklearn.__version__}"
    reads = (Modality.TEXT,)
    trusted_types = ()

    def fit(self, examples: Sequence[Example], seed: int, progress: Progress) -> ReferenceModel:
        pipeline = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32),
            LogisticRegression(C=10, max_iter=1000, tol=1e-6, random_state=seed),
        )
        pipeline.fit([e.input.text for e in examples], [e.label for e in examples])
        return ReferenceModel(tuple(pipeline.classes_), pipeline)

    def restore(self, state: State) -> ReferenceModel:
        return ReferenceModel(tuple(state["pipeline"].classes_), state["pipeline"])


@dataclass(frozen=True)
class Task:
    name: str
    train: list[Example]
    test: list[Example]


def read(path: Path) -> list[Example]:
    with path.open(encoding="utf-8", newline="") as file:
        return [Example(Input(row["text"]), row["label"]) for row in csv.DictReader(file)]


def tasks(folder: Path) -> Iterator[Task]:
    """All rows; few rows of some labels, as when one starts; and two labels that are easy to tell apart."""
    for name in ("banking77", "clinc150"):
        train = [row for row in read(folder / name / "train.csv") if row.label != OUTSIDE]
        test = [row for row in read(folder / name / "test.csv") if row.label != OUTSIDE]
        labels = sorted({row.label for row in train})
        twelve = set(np.random.default_rng(0).choice(labels, 12, replace=False))
        for rows in (8, 30):
            yield Task(f"{name}, 12 labels x {rows}", some(train, twelve, rows), some(test, twelve, 1000))
        if name == "banking77":
            two = {"card_arrival", "exchange_rate"}
            yield Task(f"{name}, 2 easy labels", some(train, two, 1000), some(test, two, 1000))
        yield Task(f"{name}, all {len(labels)} labels", train, test)


def some(rows: Sequence[Example], labels: set[str], most: int) -> list[Example]:
    seen: dict[str, int] = defaultdict(int)
    kept = []
    for place in np.random.default_rng(1).permutation(len(rows)):
        row = rows[place]
        seen[row.label] += 1
        if row.label in labels and seen[row.label] <= most:
            kept.append(row)
    return kept


def measure(learner: TextLearner | ReferenceLearner, task: Task, outside: Sequence[Input]) -> str:
    started = time.process_time()
    model = learner.fit(task.train, 0, lambda _: None)
    fitted = time.process_time()
    shares = model.probabilities([row.input for row in task.test])
    read_in = time.process_time() - fitted
    best, confidence = shares.argmax(axis=1), shares.max(axis=1)
    right = np.array([model.classes[column] == row.label for column, row in zip(best, task.test, strict=True)])
    accepted = confidence >= THRESHOLD
    foreign = model.probabilities(outside).max(axis=1) < THRESHOLD
    precision = f"{right[accepted].mean():8.3f}" if accepted.any() else "       –"
    return (
        f"{task.name:28}{learner.name:12}{len(task.train):6}{right.mean():8.3f}"
        f"{calibration_error(confidence, right):7.3f}{1 - accepted.mean():9.3f}{precision}{foreign.mean():9.3f}"
        f"{fitted - started:8.1f}{len(task.test) / read_in:9.0f}"
    )


@dataclass(frozen=True)
class Speed:
    """Texts a second of processor time. one_ms: milliseconds for one text alone, by the median of the texts, each
    after another one; cold_ms: each after the other model has read it, as if the processor did other work between."""

    rows: float
    one_ms: float
    cold_ms: float


def read_by_turns(models: Sequence[TextModel], texts: Sequence[Input], rounds: int = 5) -> list[Speed]:
    many, one, cold = [0.0] * len(models), [[] for _ in models], [[] for _ in models]
    for _ in range(rounds):
        for place, model in enumerate(models):
            many[place] += seconds(model, texts)
    for start in range(0, 1000, TURN):
        for place, model in enumerate(models):
            one[place] += [seconds(model, [text]) for text in texts[start : start + TURN]]
    for text in texts[:1000]:
        for place, model in enumerate(models):
            cold[place].append(seconds(model, [text]))
    return [
        Speed(rounds * len(texts) / all_of, *(1000 * float(np.median(single)) for single in both))
        for all_of, *both in zip(many, one, cold, strict=True)
    ]


def seconds(model: TextModel, texts: Sequence[Input]) -> float:
    started = time.process_time()
    model.probabilities(texts)
    return time.process_time() - started


def compare_speed(folder: Path) -> dict[str, float]:
    figures = {}
    print(f"\n{'reading':12}{'n-grams':16}{'rows/s':>9}{'one text, ms':>14}{'cold, ms':>10}")
    for name in ("banking77", "clinc150"):
        train = [row for row in read(folder / name / "train.csv") if row.label != OUTSIDE]
        new = TextLearner().fit_uncalibrated(train, 0)
        old = replace(new, ngrams=replace(new.ngrams, tables=None))
        before, after = read_by_turns([old, new], [row.input for row in read(folder / name / "test.csv")])
        for what, speed in (("scikit-learn's", before), ("from tables", after)):
            print(f"{name:12}{what:16}{speed.rows:9.0f}{speed.one_ms:14.3f}{speed.cold_ms:10.3f}", flush=True)
        figures |= {
            f"{name}_x": round(after.rows / before.rows, 2),
            f"{name}_rows_per_s": round(after.rows),
            f"{name}_one_x": round(before.one_ms / after.one_ms, 2),
            f"{name}_one_ms": round(after.one_ms, 3),
            f"{name}_cold_ms": round(after.cold_ms, 3),
        }
    return figures


def print_accuracy(folder: Path) -> None:
    outside = [row.input for row in read(folder / "clinc150" / "test.csv") if row.label == OUTSIDE]
    print(f"flagged: share below {THRESHOLD}; right: share of right answers among the others;")
    print(f"foreign: flagged share of {len(outside)} texts in no category.\n")
    print("".join(f"{name:{width}}" for name, width in COLUMNS))
    for task in tasks(folder):
        for learner in (TextLearner(), ReferenceLearner()):
            print(measure(learner, task, outside), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path, default=DATA)
    parser.add_argument("--speed", action="store_true")
    arguments = parser.parse_args()
    folder = arguments.folder
    needed = [folder / name / part for name in ("banking77", "clinc150") for part in ("train.csv", "test.csv")]
    missing = [str(path) for path in needed if not path.exists()]
    if missing:
        sys.exit(f"There is no {missing[0]}. Give the folder that holds banking77/ and clinc150/ as the argument.")
    print(f"scikit-learn {sklearn.__version__}; seconds and rows per second are of one processor.")
    if not arguments.speed:
        print_accuracy(folder)
    print(f"SUMMARY {json.dumps(compare_speed(folder))}")


if __name__ == "__main__":
    main()
