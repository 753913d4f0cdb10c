"""Which first models of a queue should be offered, beside always guessing the most common label?

    python -m benchmarks.first_model [--seeds 20] [--data FOLDER]

The product's own comparison and gate judge candidates whose truth is known. `gate`: as it is, which refuses a first
model that is right about fewer golden examples than the guess. `others`: without that rule. 0.05 to 0.4: in its place,
the exact test against the guess at that level. `labels`: the tests that a later model faces, at .2, and at .05 for each
label.

*Drawn*: 500 candidates of random recall per label for each mix of labels and 40, 80 and 160 golden examples, half of
them with an accuracy near the guess's. *Fitted*: the beginning of a queue on the public sets in FOLDER (default:
../shared/data): labels of the set in the same mixes, 40 training rows and 20 golden examples more in each of eight
cycles, and a candidate in each, trained on right labels, or with 30, 60 or all of 100 drawn at random. The truth is the
recall of each label on unseen texts, weighted by the mix.

Printed: the share refused of those better by 5 points or more, and by .5 to 5; the share passed of those worse by 2 to
5, and by more; for the fitted also the median cycle of a queue's first candidate that passes, the share of queues in
which none does, and of the others, those whose first is worse than the guess by over 2 points. The last line is SUMMARY
and the figures as JSON. Results of one run: benchmarks/first_model.txt."""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.loop.sources import DATA, Source, read_source
from core.learning.data.inputs import Example, Input
from core.learning.evaluation.compare import GoldenRow, Predicted, always, answers, compare
from core.learning.evaluation.gate import gate
from core.learning.evaluation.scorecard import Scorecard
from core.learning.learners.text import TextLearner
from core.policy import PromotionPolicy, QueuePolicy
from core.vocabulary import GateBlock, Stratum

MIXES = {
    "2 equal": (0.5, 0.5),
    "2, .75": (0.75, 0.25),
    "2, .9": (0.9, 0.1),
    "4, .4": (0.4, 0.3, 0.2, 0.1),
    "10 equal": (0.1,) * 10,
}
GOLDEN, DRAWN = (40, 80, 160), 500
SETS, CYCLES, ROWS, EXAMPLES = ("banking77", "clinc150", "hwu64"), 8, 40, 20
NOISE = (0.0, 0.3, 0.6, 1.0)
RULES = ("gate", "others", "labels", "0.05", "0.2", "0.3", "0.4")
ALPHA, POOLED = PromotionPolicy().alpha, PromotionPolicy().pooled_alpha
KINDS = {"better by 5": (0.05, 2.0), "better": (0.005, 0.05), "worse by 2": (-0.05, -0.02), "worse by 5": (-2.0, -0.05)}


@dataclass(frozen=True)
class Judged:
    """A candidate. gain: its true accuracy less the guess's. passed: rule -> whether the gate lets it through."""

    gain: float
    passed: dict[str, bool]


def policy_of(labels: Sequence[str]) -> QueuePolicy:
    named = [{"name": label} for label in labels]
    people = {"reviewers": ["U1"], "leads": ["U2"]}
    return QueuePolicy.model_validate(
        {"name": "first", "channel": "C1", "leads_channel": "C2", "labels": named} | people
    )


def judged(gain: float, golden: Sequence[GoldenRow], guess: str, candidate: Predicted, policy: QueuePolicy) -> Judged:
    scorecard = compare(golden, always(guess, golden), candidate, policy, "majority")
    return Judged(gain, {rule: passes(scorecard, rule) for rule in RULES})


def passes(scorecard: Scorecard, rule: str) -> bool:
    blocks = {block.code for block in gate(scorecard, PromotionPolicy()).blocks}
    if rule == "gate":
        return not blocks
    if blocks - {GateBlock.BEHIND_GUESS}:
        return False
    if rule == "others":
        return True
    if rule != "labels":
        return scorecard.random.p_value > float(rule)
    worse = any(one.p_adjusted is not None and one.p_adjusted <= ALPHA for one in scorecard.labels)
    return scorecard.random.p_value > POOLED and not worse


def drawn(mix: str, n: int, rng: np.random.Generator) -> Judged:
    """A candidate that is right about each label at a random rate, and otherwise says any other label."""
    shares = np.array(MIXES[mix])
    recalls = rng.uniform(0, 1, shares.size)
    if rng.random() < 0.5:  # near the guess
        recalls = np.clip(recalls + (shares.max() + rng.uniform(-0.1, 0.1) - recalls @ shares), 0, 1)
    labels = rng.choice(shares.size, n, p=shares)
    right = rng.random(n) < recalls[labels]
    said = np.where(right, labels, (labels + rng.integers(1, shares.size, n)) % shares.size)
    golden = [
        GoldenRow(place, Input(f"text {place}"), f"label {label}", Stratum.RANDOM) for place, label in enumerate(labels)
    ]
    policy = policy_of([f"label {place}" for place in range(shares.size)])
    predicted = Predicted(tuple(f"label {one}" for one in said))
    return judged(float(recalls @ shares - shares.max()), golden, "label 0", predicted, policy)


class Beginning:
    """A new queue on labels of a set, in a mix."""

    def __init__(self, source: Source, mix: str, noise: float, rng: np.random.Generator) -> None:
        self.noise, self.rng, self.shares = noise, rng, np.array(MIXES[mix])
        self.labels = [str(one) for one in rng.permutation(source.labels)[: self.shares.size]]
        only = source.only(self.labels)
        self.stream, self.unseen = (
            {label: [row.text for row in rows if row.label == label] for label in self.labels}
            for rows in (only.stream, only.unseen)
        )
        self.policy = policy_of(self.labels)

    def cycles(self) -> Iterator[Judged]:
        rows: dict[str, str] = {}
        golden: list[GoldenRow] = []
        for _ in range(CYCLES):
            rows |= dict(self.corrected() for _ in range(ROWS))
            golden += [self.example(len(golden) + place) for place in range(EXAMPLES)]
            if len(set(rows.values())) > 1:
                yield self.judged(rows, golden)

    def corrected(self) -> tuple[str, str]:
        """A text and the label that it trains with."""
        label = self.drawn_label()
        text = str(self.rng.choice(self.stream[label]))
        if self.rng.random() < self.noise:
            label = self.drawn_label() if self.noise == 1 else str(self.rng.choice(self.labels))
        return text, label

    def example(self, place: int) -> GoldenRow:
        label = self.drawn_label()
        return GoldenRow(place, Input(str(self.rng.choice(self.unseen[label]))), label, Stratum.RANDOM)

    def drawn_label(self) -> str:
        return self.labels[self.rng.choice(self.shares.size, p=self.shares)]

    def judged(self, rows: dict[str, str], golden: Sequence[GoldenRow]) -> Judged:
        counted = Counter(rows.values())
        guess = min(counted, key=lambda label: (-counted[label], label))
        model = TextLearner().fit_uncalibrated([Example(Input(text), label) for text, label in rows.items()], 0)
        asked = [Input(text) for label in self.labels for text in self.unseen[label]]
        said = iter(answers(model, asked).labels)
        recalls = [np.mean([next(said) == label for _ in self.unseen[label]]) for label in self.labels]
        gain = float(recalls @ self.shares - self.shares[self.labels.index(guess)])
        return judged(gain, golden, guess, answers(model, [row.input for row in golden]), self.policy)


def table(found: Sequence[Judged]) -> dict[str, dict[str, float]]:
    """Rule -> kind -> the share in error: refused of the better ones, passed of the worse ones; "n": their number."""
    shares: dict[str, dict[str, float]] = defaultdict(dict)
    for kind, (low, high) in KINDS.items():
        among = [one for one in found if low <= one.gain < high]
        shares["n"][kind] = len(among)
        for rule in RULES:
            errors = sum(one.passed[rule] != (low > 0) for one in among)
            shares[rule][kind] = round(errors / len(among), 3) if among else float("nan")
    return dict(shares)


def first_live(queues: Sequence[Sequence[Judged]], rule: str) -> dict[str, float]:
    """cycle: the median of the first that passes. none: the share of queues without one. worse: of the others, those
    whose first is worse than the guess by over 2 points."""
    firsts = [next((place for place, one in enumerate(queue) if one.passed[rule]), None) for queue in queues]
    gains = [queue[place].gain for queue, place in zip(queues, firsts, strict=True) if place is not None]
    late = median(CYCLES + 1 if place is None else place + 1 for place in firsts)
    worse = sum(gain < -0.02 for gain in gains) / max(1, len(gains))
    return {"cycle": late, "none": round(1 - len(gains) / len(firsts), 3), "worse": round(worse, 3)}


def show(title: str, found: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    columns = list(found[RULES[0]])
    print(f"\n{title:28}" + "".join(f"{column:>13}" for column in columns))
    for rule, figures in found.items():
        print(f"{rule:>28}" + "".join(f"{figures[column]:>13g}" for column in columns if column in figures), flush=True)
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, default=20)
    options.add_argument("--data", type=Path, default=DATA)
    chosen = options.parse_args()
    missing = [name for name in SETS if not (chosen.data / name / "train.csv").exists()]
    if missing:
        sys.exit(f"There is no {chosen.data / missing[0]}/train.csv. Give the folder that holds it with --data.")
    summary: dict[str, object] = {}
    for mix in MIXES:
        found = [drawn(mix, n, np.random.default_rng([n, seed])) for n in GOLDEN for seed in range(DRAWN)]
        summary[f"drawn, {mix}"] = show(f"drawn, {mix}", table(found))
    sources = [read_source(chosen.data, name) for name in SETS]
    for noise, mix in product(NOISE, MIXES):
        queues = [
            list(Beginning(source, mix, noise, np.random.default_rng([place, seed])).cycles())
            for place, source in enumerate(sources)
            for seed in range(chosen.seeds)
        ]
        figures = table([one for queue in queues for one in queue])
        for rule in RULES:
            figures[rule] |= first_live(queues, rule)
        title = f"fitted, {noise:.0%} random, {mix}"
        summary[title] = show(title, figures)
    print("SUMMARY", json.dumps(summary))


if __name__ == "__main__":
    main()
