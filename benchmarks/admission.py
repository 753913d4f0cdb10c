"""The rule that admits a batch of written texts, where it is known how many of them are right.

The table: of 100,000 simulated batches, how many are admitted, by the share that is right, the size of the sample, and
how often what people settle is wrong. The months: a queue of Banking77 that gets batches each quarter, of which a
known share is of another label; does the model become worse?
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.discovery_learning import accuracy, drawn, recall
from benchmarks.loop.sources import Source, Text
from core.learning.data.inputs import Input
from core.learning.data.snapshots import Row
from core.learning.data.synthetic import within_shares
from core.learning.learners.text import TextLearner, TextModel
from core.policy.synthetic import SyntheticPolicy
from core.synthesis.admission import admits, sample_size
from core.synthesis.guards import MOST_KEPT
from core.text.content_hash import content_hash
from core.vocabulary import Source as Origin

BATCHES = 100_000
SHARES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5)
SIZES = (5, 10, 20)  # of a sample of a batch of `MOST_KEPT`
MISTAKES = (0.0, 0.05, 0.1)  # share of items that people settle wrongly
GOOD, BAD = 0.95, 0.8  # shares that are right, of a batch that should be admitted, and of one that should not

LABELS = 30  # of the queue
FIRST_ROWS, NEW_ROWS = 10, 60  # of each label at the start; of all labels each month
BATCHES_A_QUARTER = 3
MONTHS_SHARES = (1.0, 0.8, 0.5)


def admission_table(rng: np.random.Generator, batches: int = BATCHES) -> tuple[dict[str, float], list[str]]:
    """Figures by name, and the table as lines."""
    lines, found = ["admitted, of 1: by the share of the batch that is right"], {}
    lines.append(f"{'asked':>5} {'mistakes':>8}  " + "  ".join(f"{share:>5.2f}" for share in SHARES))
    for asked in SIZES:
        for mistakes in MISTAKES:
            played = {share: _admitted(share, asked, mistakes, batches, rng) for share in SHARES}
            lines.append(f"{asked:>5} {mistakes:>8.2f}  " + "  ".join(f"{played[one][0]:>5.3f}" for one in SHARES))
            if asked == sample_size(MOST_KEPT):
                found[f"rule: bad batches ({BAD} right) admitted, people wrong {mistakes}"] = played[BAD][0]
                found[f"rule: good batches ({GOOD} right) refused, people wrong {mistakes}"] = 1 - played[GOOD][0]
                lines.append(f"{'':>5} {'trains':>8}  " + "  ".join(f"{played[one][1]:>5.3f}" for one in SHARES))
    lines.append("trains: of the admitted batches' texts that train, the share that is right")
    return {name: round(value, 3) for name, value in found.items()}, lines


def _admitted(share: float, asked: int, mistakes: float, batches: int, rng: np.random.Generator) -> tuple[float, float]:
    """The share of batches that is admitted, and the share that is right of what trains; nan: none is admitted."""
    right = rng.random((batches, MOST_KEPT)) < share
    said = right[:, :asked] ^ (rng.random((batches, asked)) < mistakes)
    passes = np.array([admits(confirmed, asked) for confirmed in range(asked + 1)])[said.sum(axis=1)]
    trains = np.concatenate([said, np.ones((batches, MOST_KEPT - asked), dtype=np.bool_)], axis=1)[passes]
    return float(passes.mean()), float(right[passes][trains].mean()) if passes.any() else float("nan")


def months(source: Source, seed: int, count: int) -> list[tuple[str, float]]:
    """Names and values, of one seed: differences to the same months without batches, by the share that is right.

    Each month people label `NEW_ROWS` texts. Each quarter, the labels with the lowest recall that had no batch yet get
    one of `MOST_KEPT` texts each. Right ones are texts of people that nothing else uses, which is as good as written
    texts can be; wrong ones are of the label with which the model confuses it most often."""
    rng = np.random.default_rng(seed)
    source = source.only([str(label) for label in rng.permutation(source.labels)[:LABELS]])
    rows, arriving = _begun(source, seed, rng)
    spare = arriving[-(-count // 3) * 3 * NEW_ROWS :]
    reserve = {label: [row for row in spare if row.label == label] for label in source.labels}
    plans: list[tuple[str, str]] = []
    for start in range(0, count, 3):
        rows = rows + arriving[start * NEW_ROWS : (start + 3) * NEW_ROWS]
        plans += _weakest(_taught(rows, [], seed), source.unseen, {label for label, _other in plans})
    plain = _taught(rows, [], seed)
    helped = [label for label, _other in plans]
    found = [
        ("months: accuracy without batches", accuracy(plain, source.unseen)),
        ("months: recall of the labels with batches, without them", recall(plain, source.unseen, helped)),
    ]
    for share in MONTHS_SHARES:
        batches = [_batch(reserve, label, other, share, rng) for label, other in plans]
        let_in = [judged(texts, label, rng) for texts, (label, _other) in zip(batches, plans, strict=True)]
        found.append((f"months, {share:.0%} right: batches admitted by the rule", float(sum(map(bool, let_in)))))
        for how, chosen in (("all admitted", batches), ("by the rule", let_in)):
            texts = [(row, label) for batch, (label, _other) in zip(chosen, plans, strict=True) for row in batch]
            model = _taught(rows, texts, seed) if texts else plain
            gained = accuracy(model, source.unseen) - accuracy(plain, source.unseen)
            better = recall(model, source.unseen, helped) - recall(plain, source.unseen, helped)
            found.append((f"months, {share:.0%} right, {how}: accuracy", gained))
            found.append((f"months, {share:.0%} right, {how}: recall of these labels", better))
    return found


def _begun(source: Source, seed: int, rng: np.random.Generator) -> tuple[list[Text], list[Text]]:
    rows = [row for label in source.labels for row in drawn(source.stream, label, FIRST_ROWS, seed)]
    left = sorted(set(source.stream) - set(rows), key=lambda row: row.text)
    return rows, [left[place] for place in rng.permutation(len(left))]


def _weakest(model: TextModel, test: Sequence[Text], had: set[str]) -> list[tuple[str, str]]:
    """The labels with the lowest recall, each with the one that the model gives instead."""
    said = model.probabilities([Input(row.text) for row in test]).argmax(axis=1)
    pairs = [(row.label, model.classes[place]) for place, row in zip(said, test, strict=True)]
    wrong = Counter(label for label, given in pairs if given != label)
    total = Counter(label for label, _given in pairs)
    order = sorted(total, key=lambda label: (-wrong[label] / total[label], label))
    chosen = [label for label in order if label not in had][:BATCHES_A_QUARTER]
    return [(label, _confused(pairs, label)) for label in chosen]


def _confused(pairs: Sequence[tuple[str, str]], label: str) -> str:
    given = Counter(other for mine, other in pairs if mine == label != other)
    return given.most_common(1)[0][0] if given else next(other for other, _given in pairs if other != label)


def _batch(
    reserve: dict[str, list[Text]], label: str, other: str, share: float, rng: np.random.Generator
) -> list[Text]:
    right = rng.random(MOST_KEPT) < share
    good, bad = _few(reserve[label], int(right.sum()), rng), _few(reserve[other], int((~right).sum()), rng)
    return [*good, *bad]


def _few(rows: Sequence[Text], count: int, rng: np.random.Generator) -> list[Text]:
    places: NDArray[np.int64] = rng.permutation(len(rows))[:count]
    return [rows[place] for place in places]


def judged(texts: Sequence[Text], label: str, rng: np.random.Generator) -> list[Text]:
    """What trains when people, who are right, judge a sample; empty: the batch is refused."""
    mixed = [texts[place] for place in rng.permutation(len(texts))]
    asked, others = mixed[: sample_size(len(mixed))], mixed[sample_size(len(mixed)) :]
    confirmed = [row for row in asked if row.label == label]
    return [*confirmed, *others] if asked and admits(len(confirmed), len(asked)) else []


def _taught(rows: Sequence[Text], written: Sequence[tuple[Text, str]], seed: int) -> TextModel:
    """written: each with the label for which it was written."""
    weight = SyntheticPolicy().weight
    real = [Row(Origin.SEED, 0, Input(row.text), row.label, 1.0, content_hash(row.text)) for row in rows]
    light = [Row(Origin.SYNTHETIC, 0, Input(row.text), label, weight, content_hash(row.text)) for row, label in written]
    return TextLearner().fit_uncalibrated([row.example for row in within_shares([*real, *light])], seed)
