"""Is a promise kept on the days on which it is made?

    python -m benchmarks.promise [--queues 200] [--volumes 500] [--promised 0.02 0.04]

Simulated queues whose truth is known go through the product's own bound and ratchet (core/quality/promise.py), with the
cut that follows from them in force on the next day, so that the cut moves. Before the promise can be said, a quarter of
the rows is reviewed. On the 12th and the 24th day a better model goes live, which has learned the rows that people
settled under the former one. All items are settled within three days, but 1 % never. On the 30th day the promise is
compared with the truth, a sample of 40,000 further rows. A queue counts as broken where the promise is made on that day
and is not true; at most 20 of 200 may be: a rule that is broken in 5 % fails that in one of 1,000 cases. The last line
is SUMMARY and the figures as JSON."""

import argparse
import json
from dataclasses import dataclass
from statistics import mean

import numpy as np

from core.quality.promise import (
    Kept,
    SampledStratum,
    Strata,
    kept_cut,
    loosest_cut,
)

ERROR = 0.1
LOT, HELD_BACK = 0.05, 0.1
PROMOTED, PRESET = (12, 24), 30
AGE, WINDOW = 3, 60
FIRST_SHARE = 0.25  # reviewed before the promise can be said
NEVER_SETTLED = 0.01
TRUTH = 40_000


@dataclass
class Rows:
    """score, wrong: of the present model. ease: on a latent scale. former: reviewed under a former model."""

    day: np.ndarray
    ease: np.ndarray
    score: np.ndarray
    wrong: np.ndarray
    audited: np.ndarray
    held: np.ndarray
    reviewed: np.ndarray
    former: np.ndarray
    settled: np.ndarray


def answers(rng: np.random.Generator, ease: np.ndarray, skill: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores and errors of a model: overconfident, so that its scores are no probabilities."""
    margin = ease + skill + rng.normal(0, 0.7, ease.size)
    wrong = rng.random(ease.size) > 1 / (1 + np.exp(-1.3 * margin))
    return 1 / (1 + np.exp(np.clip(1.9 * margin, -30, 30))), wrong


def came(rng: np.random.Generator, day: int, volume: int, skill: float, cut: float) -> Rows:
    n = rng.poisson(volume)
    ease = rng.normal(0, 1.3, n)
    score, wrong = answers(rng, ease, skill)
    reviewed = score >= cut
    return Rows(
        np.full(n, day), ease, score, wrong, rng.random(n) < LOT, reviewed & (rng.random(n) < HELD_BACK), reviewed,
        np.zeros(n, bool), rng.random(n) >= NEVER_SETTLED,
    )  # fmt: skip


def joined(first: Rows | None, second: Rows) -> Rows:
    if first is None:
        return second
    return Rows(*(np.concatenate([getattr(first, name), getattr(second, name)]) for name in vars(first)))


def promote(rng: np.random.Generator, rows: Rows, skill: float) -> None:
    """The new model answers all rows anew. It has learned those that people settled, and that were not drawn."""
    rows.score, rows.wrong = answers(rng, rows.ease, skill)
    learned = rows.reviewed & ~rows.held & ~rows.audited & rows.settled
    rows.wrong[learned] &= rng.random(learned.sum()) < 0.05
    rows.score[learned] *= 0.3
    rows.former |= rows.reviewed


def strata(rows: Rows, day: int) -> Strata:
    inside = (rows.day > day - WINDOW) & (rows.day <= day)
    old = inside & (rows.day <= day - AGE)
    bad = rows.wrong | ~rows.settled

    def part(mine: np.ndarray, sample: np.ndarray) -> SampledStratum:
        drawn = mine & sample & old
        return SampledStratum(int((mine & old).sum()), int(drawn.sum()), rows.score[drawn & bad].tolist())

    reviewed_now = rows.reviewed & ~rows.former
    return Strata(
        part(~rows.reviewed, rows.audited), part(reviewed_now, np.ones(rows.day.size, bool)),
        part(rows.former, rows.held),
    )  # fmt: skip


def play(seed: int, volume: int, promised: float) -> tuple[bool, float, float, int]:
    """On the preset day: whether the promise is made, the true share that is wrong and unseen, the share that is not
    reviewed; and the day on which the promise was first made."""
    rng = np.random.default_rng(seed)
    skill, kept, rows, first = float(rng.uniform(1.2, 2.6)), Kept(), None, PRESET
    cut = start = _quantile(rng, skill)
    for day in range(PRESET + 1):
        if day in PROMOTED:
            skill += 0.3
            assert rows is not None
            promote(rng, rows, skill)
            kept, start = Kept(), _quantile(rng, skill)
        rows = joined(rows, came(rng, day, volume, skill, cut))
        known = strata(rows, day)
        kept = kept_cut(kept, loosest_cut(known, promised, ERROR), known.audits)
        cut = kept.cut if kept.said and kept.cut is not None else start
        first = min(first, day if kept.said else PRESET)
    score, wrong = answers(rng, rng.normal(0, 1.3, TRUTH), skill)
    unseen = score < cut
    return kept.said, float((wrong & unseen).mean()), float(unseen.mean()), first


def _quantile(rng: np.random.Generator, skill: float) -> float:
    return float(np.quantile(answers(rng, rng.normal(0, 1.3, 4000), skill)[0], 1 - FIRST_SHARE))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--queues", type=int, default=200)
    options.add_argument("--volumes", type=int, nargs="+", default=[500])
    options.add_argument("--promised", type=float, nargs="+", default=[0.02, 0.04])
    chosen = options.parse_args()
    summary = {}
    for volume in chosen.volumes:
        for promised in chosen.promised:
            runs = [play(seed, volume, promised) for seed in range(chosen.queues)]
            made = [run for run in runs if run[0]]
            name = f"{volume} a day, {promised:.0%}"
            summary[name] = {
                "queues": len(runs),
                "made": len(made),
                "broken": sum(truth > promised for _made, truth, _unseen, _first in made),
                "unreviewed": round(mean(run[2] for run in made), 3) if made else None,
                "first_day": int(np.median([run[3] for run in runs])),
            }
            print(name, summary[name], flush=True)
    print("SUMMARY", json.dumps(summary))


if __name__ == "__main__":
    main()
