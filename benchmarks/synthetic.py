"""What texts of a language model are worth for weak labels, beside simpler means; and what noisy batches do.

    python -m benchmarks.synthetic [FOLDER] [--seeds 3] [--months 12] [--parts weak months rule]

FOLDER (default: ../shared/data) holds banking77/.

1. Banking77 with eight weak labels of five rows, the others with sixty: recall and precision of the eight after
   nothing; oversampling; EDA (Wei and Zou 2019, arXiv:1901.11196); five more real rows; discovery for the label, with
   true labels; and the guarded texts of a small real model, as they were recorded (benchmarks/written_texts.py). As in
   the product, these have the weight .3 and are a tenth of the rows at most. Which of them have the right label is
   judged by a model of all rows, which is right in 91 of 100 cases.
2. The rule that admits a batch, and months with batches of which a known share is wrong: benchmarks/admission.py.

What a good language model would give is not measured: there is none on this machine. The last line is SUMMARY with
means over the seeds, and 95 % intervals (Student's t). Results: benchmarks/synthetic.txt.
"""

import argparse
import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.admission import admission_table, months
from benchmarks.discovery_learning import EACH, accuracy, drawn, fitted, interval, ranked, recall
from benchmarks.loop.sources import DATA, Source, Text, read_source
from benchmarks.written_texts import Scene, scene, written
from core.learning.data.inputs import Example, Input
from core.learning.data.snapshots import Row
from core.learning.data.synthetic import within_shares
from core.learning.learners.text import TextLearner, TextModel
from core.policy.golden import GoldenPolicy
from core.policy.synthetic import SyntheticPolicy
from core.synthesis.admission import admits, sample_size
from core.synthesis.guards import Guarded, Known, guarded
from core.synthesis.languages import words_of
from core.text.content_hash import content_hash
from core.vocabulary import Guard
from core.vocabulary import Source as Origin

PARTS = ("weak", "months", "rule")
WEIGHT = SyntheticPolicy().weight
TIMES = 4  # a weak label's row, oversampled
VARIANTS = 3  # of a row, by EDA
CHANGED = 0.1  # of a row's words, by EDA
MORE = 5  # further real rows
MEASURED = ("accuracy", "recall of weak labels", "precision of weak labels")

Rows = list[Example]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", nargs="?", type=Path, default=DATA)
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--first", type=int, default=1, help="the first seed")
    arguments.add_argument("--months", type=int, default=12)
    arguments.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    given = arguments.parse_args()
    if not (given.folder / "banking77" / "train.csv").exists():
        sys.exit(f"{given.folder}/banking77/train.csv is missing; give the folder that has it.")
    source = read_source(given.folder, "banking77")
    found: dict[str, list[float]] = defaultdict(list)
    for seed in range(given.first, given.first + given.seeds):
        for name, value in _of_seed(source, seed, given.parts, given.months):
            found[name].append(value)
            print(f"seed {seed}: {name:72} {value:.3f}", flush=True)
    shares, lines = admission_table(np.random.default_rng(1)) if "rule" in given.parts else ({}, [])
    print("\n".join(lines))
    print("What a good language model would give is not measured.")
    print("SUMMARY", json.dumps({name: interval(values) for name, values in found.items()} | shares))


def _of_seed(source: Source, seed: int, parts: Sequence[str], count: int) -> Iterator[tuple[str, float]]:
    if "weak" in parts:
        yield from weak_labels(source, TextLearner().fit_uncalibrated(_examples(source.stream), 0), seed)
    if "months" in parts:
        yield from months(source, seed, count)


def weak_labels(source: Source, judge: TextModel, seed: int) -> list[tuple[str, float]]:
    """Names and values, of one seed."""
    here = scene(source, seed)
    model, rng = fitted(here.rows, seed), np.random.default_rng(seed)
    base = _examples(here.rows)
    weak = [row for row in here.rows if row.label in here.weak]
    often = _examples(weak) * (TIMES - 1)
    by_label = {label: _guarded(here, model, label, texts) for label, texts in written(source, seed).items()}
    texts = [Text(one.text, label) for label, batch in by_label.items() for one in batch.kept]
    right = _confirmed(judge, texts)
    leaky = {label for label, batch in by_label.items() if batch.knows_the_golden_set}
    admitted = [row for label in by_label if label not in leaky for row in _admitted(texts, right, label, rng)]
    asked = list(
        dict.fromkeys(place for label in here.weak for place in list(ranked(model, here.pool, None, label))[:EACH])
    )
    arms: dict[str, Callable[[], Rows]] = {
        "nothing": lambda: base,
        "oversampling": lambda: base + often,
        "EDA": lambda: base + [one for row in weak for one in varied(row, rng)],
        "5 more real rows each": lambda: base + _examples(_more(here, seed)),
        "discovery for the label": lambda: base + _examples([here.pool[place] for place in asked]),
        "guarded synthetic, if all were admitted": lambda: base + _lightly(here.rows, texts),
        "guarded synthetic, the same, and oversampling": lambda: base + often + _lightly(here.rows, texts),
    }
    if admitted:  # without any, the same as nothing
        arms["guarded synthetic, as the rule admits"] = lambda: base + _lightly(here.rows, admitted)
    found = _counts(by_label, right, judge, source)
    found.append(("batches refused because of a golden leak, of 8", float(len(leaky))))
    found.append(("batches that the rule admits, of 8", float(len({row.label for row in admitted}))))
    base_values: tuple[float, ...] = ()
    for name, rows in arms.items():
        taught = TextLearner().fit_uncalibrated(rows(), seed)
        values = accuracy(taught, here.test), recall(taught, here.test, here.weak), _precision(taught, here)
        base_values = base_values or values
        found += [(f"{name}: {what}", value) for what, value in zip(MEASURED, values, strict=True)]
        gained = [value - before for value, before in zip(values, base_values, strict=True)]
        found += [(f"{name}: {what}, gained", value) for what, value in zip(MEASURED, gained, strict=True)][1:]
    return found


def _guarded(here: Scene, model: TextModel, label: str, texts: Sequence[str]) -> Guarded:
    """As a batch of the product; of the label, as many test rows as training rows are golden."""
    training = [row.text for row in here.rows]
    known = Known(
        shown=[row.text for row in here.of(label)],
        training=training,
        golden=[row.text for row in here.test if row.label == label][: len(here.of(label))],
        golden_threshold=GoldenPolicy().near_duplicate,
        words=frozenset(word for text in training for word in words_of(text)),
        rows=len(here.of(label)),
        allowed=frozenset({label}),
    )
    return guarded(texts, known, lambda left: _chances(model, left))


def _chances(model: TextModel, texts: Sequence[str]) -> list[dict[str, float]]:
    rows = model.probabilities([Input(text) for text in texts])
    return [dict(zip(model.classes, map(float, row), strict=True)) for row in rows]


def _confirmed(judge: TextModel, texts: Sequence[Text]) -> list[bool]:
    """What people would say, by the model of all rows."""
    if not texts:
        return []
    said = judge.probabilities([Input(row.text) for row in texts]).argmax(axis=1)
    return [judge.classes[place] == row.label for place, row in zip(said, texts, strict=True)]


def _admitted(texts: Sequence[Text], right: Sequence[bool], label: str, rng: np.random.Generator) -> list[Text]:
    """What trains of the label's batch when people judge a sample of it."""
    mine = [(row, is_right) for row, is_right in zip(texts, right, strict=True) if row.label == label]
    mine = [mine[place] for place in rng.permutation(len(mine))]
    asked, others = mine[: sample_size(len(mine))], mine[sample_size(len(mine)) :]
    confirmed = [row for row, is_right in asked if is_right]
    return [*confirmed, *(row for row, _right in others)] if mine and admits(len(confirmed), len(asked)) else []


def _lightly(real: Sequence[Text], texts: Sequence[Text]) -> Rows:
    """The written rows that the product lets into a snapshot."""
    rows = [Row(Origin.SEED, 0, Input(row.text), row.label, 1.0, content_hash(row.text)) for row in real]
    rows += [Row(Origin.SYNTHETIC, 0, Input(row.text), row.label, WEIGHT, content_hash(row.text)) for row in texts]
    return [row.example for row in within_shares(rows) if row.source is Origin.SYNTHETIC]


def _examples(rows: Sequence[Text]) -> Rows:
    return [Example(Input(row.text), row.label) for row in rows]


def varied(row: Text, rng: np.random.Generator) -> Rows:
    """Two words swapped, some dropped, some repeated: a variant each. Synonyms would need a thesaurus."""
    words = row.text.split()
    swapped = list(words)
    one, other = rng.integers(0, len(words), 2)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    hit = rng.random(len(words)) < max(CHANGED, 1 / len(words))
    dropped = [word for word, is_hit in zip(words, hit, strict=True) if not is_hit] or words
    doubled = [word for word, is_hit in zip(words, hit, strict=True) for _ in range(1 + is_hit)]
    variants = (swapped, dropped, doubled)
    return [Example(Input(" ".join(words)), row.label) for words in variants[:VARIANTS]]


def _more(here: Scene, seed: int) -> list[Text]:
    return [row for label in here.weak for row in drawn(here.pool, label, MORE, seed)]


def _precision(model: TextModel, here: Scene) -> float:
    said = model.probabilities([Input(row.text) for row in here.test]).argmax(axis=1)
    pairs = [(model.classes[place], row.label) for place, row in zip(said, here.test, strict=True)]
    return statistics.mean(one == label for one, label in pairs if one in here.weak)


def _counts(
    by_label: dict[str, Guarded], right: Sequence[bool], judge: TextModel, source: Source
) -> list[tuple[str, float]]:  # fmt: skip
    first = [Text(one.text, label) for label, batch in by_label.items() for one in batch.texts]
    before = _confirmed(judge, first)
    counts = {
        guard: sum(batch.counts.get(guard, 0) for batch in by_label.values())
        for guard in Guard
        if guard is not Guard.NOT_CONFIRMED
    }
    return [
        ("written", float(sum(batch.written for batch in by_label.values()))),
        *((f"left out: {guard}", float(number)) for guard, number in counts.items()),
        ("kept", float(len(right))),
        ("right before the guards, by a model of all rows", statistics.mean(before) if before else 0.0),
        ("right after the guards, by a model of all rows", statistics.mean(right) if right else 0.0),
        ("the judge's own accuracy", accuracy(judge, source.unseen)),
    ]


if __name__ == "__main__":
    main()
