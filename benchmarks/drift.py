"""Does the daily test see a new class, and is it quiet while nothing changes?

    python -m benchmarks.drift [--runs 100] [--volumes 100 500 2000]

Simulated queues whose truth is known go through the product's own test (core/quality/drift.py), one day after another:
20 labels of unequal share, fewer rows at weekends, days that vary by 15 % of their volume and by 20 % of their rate of
errors, 5 % audited and about a fifth flagged, settled on the day after, and a model that goes live every 30 days.

Quiet: 100 days after the first 30, nothing changes; the share of queues with any alarm. One in a hundred days allows
.63. New class: from the 61st day on, 5 % of the traffic belongs to none of the labels; the days until the first alarm,
where 100 % and where 30 % of the people press "None of these". The last line is SUMMARY and the figures as JSON."""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from core.quality.drift import BINS, DayCounts, signs_of_drift

LABELS = tuple(f"label {number:02}" for number in range(20))
LEVEL, LEARN = 0.01, 14
FIRST, QUIET_DAYS, CHANGE, WATCHED = 30, 100, 60, 30
PROMOTED_EVERY = 30
WEEKEND = 0.4  # of a weekday's volume


@dataclass(frozen=True)
class World:
    """volume: rows of a weekday. pressed: how often people press "None of these" for a row of the new class."""

    volume: int
    pressed: float = 1.0


def days(rng: np.random.Generator, world: World, last: int, change: int | None) -> Iterator[DayCounts]:
    shares, error_rates = rng.dirichlet(np.full(len(LABELS), 2.0)), rng.uniform(0.05, 0.3, len(LABELS))
    shape = rng.uniform(2.0, 5.0)
    for day in range(last):
        new = 0.05 if change is not None and day >= change else 0.0
        yield _day(rng, world, day, shares, error_rates, shape, new)


def _day(
    rng: np.random.Generator, world: World, day: int, shares: np.ndarray, errors: np.ndarray, shape: float, new: float
) -> DayCounts:
    volume = world.volume * (WEEKEND if day % 7 > 4 else 1.0) * rng.lognormal(0, 0.15)
    rows, strange = rng.poisson(volume * (1 - new)), rng.poisson(volume * new)
    harder = rng.lognormal(0, 0.2)
    model = day // PROMOTED_EVERY
    given = rng.multinomial(rows, shares) + rng.multinomial(strange, shares)
    known, foreign = rng.beta(shape + model * 0.2, 0.8, rows), rng.beta(1.5, 2.0, strange)
    confidences, _edges = np.histogram(np.concatenate([known, foreign]), BINS, (0, 1))
    flagged = rng.binomial(given, 0.25)
    wrong = rng.binomial(flagged, np.minimum(0.9, 2 * errors * harder))
    seen = rng.binomial(strange, 0.6)
    said = rng.binomial(seen, world.pressed)
    taken = rng.multinomial(seen, shares)  # rows of the new class among the settled ones: the model is wrong on them
    return DayCounts(
        weekday=day % 7,
        rows=int(rows + strange),
        model=f"v{model}",
        none_of_these=int(rng.poisson(0.003 * rows * harder) + said),
        settled=_by_label(flagged + taken),
        wrong=_by_label(wrong + taken),
        confidences=tuple(int(count) for count in confidences),
    )


def _by_label(counts: np.ndarray) -> dict[str, int]:
    return {label: int(count) for label, count in zip(LABELS, counts, strict=True) if count}


def _settled_later(history: list[DayCounts]) -> list[DayCounts]:
    """As seen in the night after the last day: half of its items are settled."""
    *before, last = history
    half = {label: count // 2 for label, count in (last.settled or {}).items()}
    wrong = {label: min(count // 2, half[label]) for label, count in (last.wrong or {}).items()}
    return [*before, replace(last, settled=half, wrong=wrong, none_of_these=last.none_of_these // 2)]


def quiet_run(seed: int, world: World) -> set[str]:
    """The signs that were seen although nothing changed."""
    rng, history, seen = np.random.default_rng(seed), [], set()
    for day in days(rng, world, FIRST + QUIET_DAYS, None):
        history.append(day)
        if len(history) > FIRST:
            seen |= {str(drift.sign) for drift in signs_of_drift(_settled_later(history), LEVEL, LEARN)}
    return seen


def delay(seed: int, world: World) -> int:
    """Days from the first one with the new class until the alarm; 30 where there was none."""
    rng, history = np.random.default_rng(seed), []
    for number, day in enumerate(days(rng, world, CHANGE + WATCHED, CHANGE)):
        history.append(day)
        if number >= CHANGE and signs_of_drift(_settled_later(history), LEVEL, LEARN):
            return number - CHANGE + 1
    return WATCHED


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=100)
    options.add_argument("--volumes", type=int, nargs="+", default=[100, 500, 2000])
    chosen = options.parse_args()
    summary = {}
    for volume in chosen.volumes:
        quiet = [quiet_run(seed, World(volume)) for seed in range(chosen.runs)]
        delays = {share: [delay(seed, World(volume, share)) for seed in range(chosen.runs)] for share in (1.0, 0.3)}
        signs = Counter(sign for seen in quiet for sign in seen)
        summary[volume] = {
            "false_runs": round(sum(map(bool, quiet)) / chosen.runs, 3),
            "by_sign": {sign: round(count / chosen.runs, 3) for sign, count in sorted(signs.items())},
            "median_days": median(delays[1.0]),
            "most_days": max(delays[1.0]),
            "median_days_if_30_percent_press": median(delays[0.3]),
        }
        print(f"{volume} a day:", summary[volume], flush=True)
    print("SUMMARY", json.dumps(summary))


if __name__ == "__main__":
    main()
