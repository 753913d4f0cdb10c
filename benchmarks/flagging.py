"""The order in which a budget brings predictions before people: the errors that it catches, by two scores.

    python -m benchmarks.flagging [--sets banking77 hwu64 clinc150] [--data FOLDER]

The learner `text` is fitted on all training rows of each set (seed 0) and answers the test rows (for HWU64 and CLINC150
the validation rows, too). Rows are ranked by 1 - p and by the model's own suspicion, the raw margin between its two
best labels. Caught: the share of all errors among the fifth of the rows that come first; the interval of the difference
is from 1,000 resamples of the rows, both scores on the same ones. FOLDER (default: ../shared/data) holds a folder for
each set with train.csv and test.csv, columns text and label. The last line is SUMMARY and the figures as JSON. Results
of one run: benchmarks/flagging.txt."""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.learners import DATA, OUTSIDE, read
from core.learning.data.inputs import Example
from core.learning.learners.base import FloatArray
from core.learning.learners.suspicion import suspicion_of
from core.learning.learners.text import TextLearner

SETS = ("banking77", "hwu64", "clinc150")
SHARE = 0.2
RESAMPLES = 1000
WORSE = 0.01  # by which the suspicion may fall behind on the mean of the other sets


@dataclass(frozen=True)
class Ranked:
    """Rows of a set. plain, own: 1 - p and the model's suspicion, (rows,); wrong: (rows,)."""

    plain: FloatArray
    own: FloatArray
    wrong: NDArray[np.bool_]

    def gain(self, rows: NDArray[np.intp]) -> float:
        wrong = self.wrong[rows]
        return caught(self.own[rows], wrong) - caught(self.plain[rows], wrong)


def caught(score: FloatArray, wrong: NDArray[np.bool_]) -> float:
    """The share of the errors among the rows of the highest scores; of equals, the first."""
    first = np.argsort(-score, kind="stable")[: int(SHARE * len(score))]
    return float(wrong[first].sum() / max(1, wrong.sum()))


def ranked(folder: Path) -> Ranked:
    train, test = rows_of(folder, "train"), rows_of(folder, "test") + rows_of(folder, "val")
    model = TextLearner().fit(train, 0, lambda _step: None)
    asked = [row.input for row in test]
    shares = model.probabilities(asked)
    said = np.array(model.classes)[shares.argmax(axis=1)]
    wrong = said != np.array([row.label for row in test])
    return Ranked(1 - shares.max(axis=1), suspicion_of(model, asked, shares), wrong)


def rows_of(folder: Path, part: str) -> list[Example]:
    path = folder / f"{part}.csv"
    return [row for row in read(path) if row.label != OUTSIDE] if path.exists() else []


def measured(name: str, found: Ranked) -> dict[str, float]:
    rng, n = np.random.default_rng(0), len(found.wrong)
    gains = [found.gain(rng.integers(n, size=n)) for _ in range(RESAMPLES)]
    low, high = np.quantile(gains, [0.025, 0.975])
    figures = {
        "plain": caught(found.plain, found.wrong), "suspicion": caught(found.own, found.wrong),
        "gain": found.gain(np.arange(n)), "low": float(low), "high": float(high),
    }  # fmt: skip
    print(
        f"{name:10} {n:6,} rows, {found.wrong.sum():4} wrong; caught by 1 - p {figures['plain']:.3f}, by suspicion "
        f"{figures['suspicion']:.3f}; gain {figures['gain']:+.3f} [{low:+.3f}, {high:+.3f}]",
        flush=True,
    )
    return {key: round(value, 4) for key, value in figures.items()}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sets", nargs="+", default=SETS)
    options.add_argument("--data", type=Path, default=DATA)
    chosen = options.parse_args()
    missing = [name for name in chosen.sets if not (chosen.data / name / "train.csv").exists()]
    if missing:
        sys.exit(f"There is no {chosen.data / missing[0]}/train.csv. Give the folder that holds it with --data.")
    summary = {name: measured(name, ranked(chosen.data / name)) for name in chosen.sets}
    gains = [figures["gain"] for figures in summary.values()]
    print(f"mean gain of {len(gains)} sets: {np.mean(gains):+.4f}; may be as low as {-WORSE:+.4f}")
    print("SUMMARY", json.dumps(summary | {"mean_gain": round(float(np.mean(gains)), 4)}))


if __name__ == "__main__":
    main()
