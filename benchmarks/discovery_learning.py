"""What discovery is worth: texts of a queue's kind found among foreign ones, and accuracy after a few labels.

    python -m benchmarks.discovery_learning [FOLDER] [--seeds 3] [--first 1] [--foreign 60000]

FOLDER (default: ../shared/data) holds clinc150/ and banking77/. Each label that a method asks for is the true one; a
foreign text costs a label and teaches nothing.

1. CLINC150 hidden in docstring sentences: of the texts in front, the share that are of the queue's kind; and accuracy
   after 80 labels by discovery, by the smallest margin alone, and at random.
2. Banking77 with eight weak labels of five rows: their recall after some 75 labels, by the same methods and by
   `--label`, ten texts for each weak label.

The last line is SUMMARY with means over the seeds, and 95 % intervals (Student's t). Results: benchmarks/discovery.txt.
"""

import argparse
import json
import math
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from benchmarks.chaos.results import machine
from benchmarks.foreign_pool import foreign_sentences
from benchmarks.loop.sources import DATA, Text, read_source
from core.discovery.domain import Domain, fit_domain
from core.discovery.ranking import NEVER, Ranker, ranking_of
from core.discovery.selection import FRONT, spread
from core.learning.data.inputs import Example, Input
from core.learning.data.text_similarity import without_near
from core.learning.learners.artifacts import pack
from core.learning.learners.text import TextLearner, TextModel

ROWS_PER_LABEL = 10  # of the first model on CLINC150
ASKED = 80
WEAK_LABELS, WEAK_ROWS, STRONG_ROWS, EACH = 8, 5, 60, 10
SAMPLE = 8_000
NEAR = 0.85
STUDENT = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78}  # 97.5 % quantiles, by number of values
FOREIGN = ""  # the label of a foreign text


@dataclass(frozen=True)
class Setting:
    """A first model and a pool that it has not seen."""

    rows: tuple[Text, ...]
    pool: tuple[Text, ...]
    test: tuple[Text, ...]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", nargs="?", type=Path, default=DATA)
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--first", type=int, default=1, help="the first seed")
    arguments.add_argument("--foreign", type=int, default=60_000)
    given = arguments.parse_args()
    for name in ("clinc150", "banking77"):
        if not (given.folder / name / "train.csv").exists():
            sys.exit(f"{given.folder}/{name}/train.csv is missing; give the folder that has it.")
    foreign = tuple(Text(sentence, FOREIGN) for sentence in foreign_sentences(given.foreign))
    print(machine(), f"{len(foreign):,} foreign sentences", "", sep="\n", flush=True)
    found: dict[str, list[float]] = defaultdict(list)
    for seed in range(given.first, given.first + given.seeds):
        for name, value in chain(hidden(given.folder, foreign, seed), weak(given.folder, seed)):
            found[name].append(value)
            print(f"seed {seed}: {name:48} {value:.3f}", flush=True)
    print("SUMMARY", json.dumps({name: interval(values) for name, values in found.items()}))


def interval(values: Sequence[float]) -> list[float]:
    """Mean, low, high."""
    mean = statistics.mean(values)
    half = STUDENT.get(len(values), math.nan) * statistics.stdev(values) / math.sqrt(len(values)) if values[1:] else 0.0
    return [round(one, 3) for one in (mean, mean - half, mean + half)]


def hidden(folder: Path, foreign: tuple[Text, ...], seed: int) -> Iterator[tuple[str, float]]:
    setting = clinc(folder, foreign, seed)
    model = fitted(setting.rows, seed)
    domain = domain_of(model, setting, seed)
    gated, bare = ranked(model, setting.pool, domain), ranked(model, setting.pool, None)
    for name, values in (("discovery", gated), ("margin", bare)):
        for top in (50, 500):
            yield f"clinc150: of the queue's kind, top {top}, {name}", share_of(setting.pool, list(values)[:top])
    asked = {
        "discovery": selected(setting.pool, gated, ASKED, seed),
        "margin": list(bare)[:ASKED],
        "random": list(np.random.default_rng(seed).permutation(len(setting.pool))[:ASKED]),
    }
    yield "clinc150: accuracy before", accuracy(model, setting.test)
    for name, places in asked.items():
        yield f"clinc150: accuracy after 80, {name}", accuracy(taught(setting, places, seed), setting.test)


def clinc(folder: Path, foreign: tuple[Text, ...], seed: int) -> Setting:
    source = read_source(folder, "clinc150")
    rows = tuple(row for label in source.labels for row in drawn(source.stream, label, ROWS_PER_LABEL, seed))
    left = tuple(set(source.stream) - set(rows))
    pool = sorted([*left, *foreign], key=lambda row: row.text)
    return Setting(rows, tuple(pool), source.unseen)


def weak(folder: Path, seed: int) -> Iterator[tuple[str, float]]:
    source = read_source(folder, "banking77")
    rng = np.random.default_rng(seed)
    labels = [str(label) for label in rng.permutation(source.labels)[:WEAK_LABELS]]
    counts = {label: WEAK_ROWS if label in labels else STRONG_ROWS for label in source.labels}
    rows = tuple(row for label, count in counts.items() for row in drawn(source.stream, label, count, seed))
    setting = Setting(rows, tuple(sorted(set(source.stream) - set(rows), key=lambda row: row.text)), source.unseen)
    model = fitted(rows, seed)
    most = EACH * WEAK_LABELS
    by_label = [place for label in labels for place in list(ranked(model, setting.pool, None, label))[:EACH]]
    asked = {
        "--label": list(dict.fromkeys(by_label)),
        "margin": list(ranked(model, setting.pool, None))[:most],
        "random": list(rng.permutation(len(setting.pool))[:most]),
    }
    yield "banking77: recall of weak labels before", recall(model, setting.test, labels)
    for name, places in asked.items():
        after = recall(taught(setting, places, seed), setting.test, labels)
        yield f"banking77: recall of weak labels after {name}", after


def drawn(rows: Sequence[Text], label: str, count: int, seed: int) -> list[Text]:
    mine = sorted({row for row in rows if row.label == label}, key=lambda row: row.text)
    return [mine[place] for place in np.random.default_rng(seed).permutation(len(mine))[:count]]


def fitted(rows: Sequence[Text], seed: int) -> TextModel:
    return TextLearner().fit([Example(Input(row.text), row.label) for row in rows], seed, lambda _step: None)


def taught(setting: Setting, places: Sequence[int], seed: int) -> TextModel:
    """After people have labelled these. Only the likeliest label counts, so it is not calibrated."""
    labelled = [setting.pool[place] for place in places if setting.pool[place].label != FOREIGN]
    rows = dict.fromkeys([*setting.rows, *labelled])
    return TextLearner().fit_uncalibrated([Example(Input(row.text), row.label) for row in rows], seed)


def domain_of(model: TextModel, setting: Setting, seed: int) -> Domain | None:
    places = np.random.default_rng(seed).permutation(len(setting.pool))[:SAMPLE]
    sample = [setting.pool[place].text for place in places]
    return fit_domain(model.ngrams, [row.text for row in setting.rows], sample, 0.9, seed)


def ranked(model: TextModel, pool: Sequence[Text], domain: Domain | None, label: str | None = None) -> dict[int, float]:
    """The places and values of what is ranked, the best first."""
    rank = ranking_of(replace(Ranker(pack(TextLearner(), model), "text", model.classes, label), domain=domain))
    values = np.concatenate([rank([row.text for row in pool[start : start + 4096]])
                             for start in range(0, len(pool), 4096)])  # fmt: skip
    order = np.argsort(values, kind="stable")
    return {int(place): float(values[place]) for place in order if values[place] < NEVER}


def selected(pool: Sequence[Text], values: Mapping[int, float], wanted: int, seed: int) -> list[int]:
    front = list(values)[: FRONT * wanted]
    apart = [front[place] for place in without_near([pool[place].text for place in front], NEAR)]
    picked = spread([pool[place].text for place in apart], [values[place] for place in apart], wanted, seed)
    return [apart[place] for place in picked]


def share_of(pool: Sequence[Text], places: Sequence[int]) -> float:
    return statistics.mean(pool[place].label != FOREIGN for place in places)


def answers(model: TextModel, rows: Sequence[Text]) -> list[bool]:
    said = model.probabilities([Input(row.text) for row in rows]).argmax(axis=1)
    return [model.classes[place] == row.label for place, row in zip(said, rows, strict=True)]


def accuracy(model: TextModel, rows: Sequence[Text]) -> float:
    return statistics.mean(answers(model, rows))


def recall(model: TextModel, rows: Sequence[Text], labels: Sequence[str]) -> float:
    return accuracy(model, [row for row in rows if row.label in labels])


if __name__ == "__main__":
    main()
