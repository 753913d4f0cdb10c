"""Months of a queue whose truth is known: what the drift reason flags after an alarm, and what its limits leave out.

    python -m benchmarks.drift_reason [--sets hwu64 banking77 clinc150] [--models 3] [--queues 6] [--data FOLDER]

For each set, as many live models as `--models` are fitted as in benchmarks/reasons.py; two labels stay out of them.
Each answers the traffic of `--queues` simulated queues of each kind, drawn with replacement from the rows that it was
not fitted on: 90 days, 500 rows on a weekday and 200 on a weekend day (Poisson). A budget of 20 % has its cut from the
newest 2,000 scores; 5 % are audited. Half of what is reviewed is settled by the night, the rest on the next day; for
1 % of it people say that no label fits, though one does. `core/quality/drift.py` reads each day from the 31st on, at
its default level. After an alarm, the reason holds for seven days.

* quiet: nothing changes
* new: from the 61st day on, the two labels that no model knows make up 5 % of the traffic
* moved: from the 61st day on, another label is right for half of the rows of a frequent label; four times the rows a
  day, since fewer seldom raise an alarm

Measured below the cut, on the seven days after the alarms (of the last two kinds: after those from the 61st day on):

* a_day, wrong, new: rows that the reason flags, the share that the model gets wrong, and the share of changed rows
* next_wrong, next_new: the same of as many rows that are next by score; chance: the wrong share of all below the cut
* found: the share of the changed rows that are flagged; left_sure, left_rare, left_both: that only the limit on
  scores, only that on labels, or both leave out

Other limits are measured on the same alarms. near: the share of the cut from which on a row is flagged; share, fewest:
of the texts that no label fits, and the number of them, that a label must have. Intervals are 95 %, from 1,000
resamples of queues. The last line is SUMMARY and the figures as JSON. Results of one run:
benchmarks/drift_reason.txt."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.flagging import rows_of
from benchmarks.learners import DATA
from benchmarks.reasons import AUDIT, BUDGET, Traffic, traffic_of
from core.intake.cuts import SCORES, cut_at
from core.intake.drifting import FEWEST, LASTS, SHARE
from core.intake.reasons.drift import NEAR
from core.policy.drift import DriftPolicy
from core.policy.flagging import Budget
from core.quality.drift import DayCounts, Drift, signs_of_drift
from core.vocabulary import DriftSign

SETS = ("hwu64", "banking77", "clinc150")
DAYS, LEARNED, CHANGE = 90, 30, 60
WEEKEND = 0.4  # of a weekday's volume
NEW, MOVED, FREQUENT = 0.05, 0.5, 20  # share of the traffic; of a label's rows; labels that are frequent
MISTAKEN = 0.01  # of the settled rows, that people say fit no label
RESAMPLES = 1000
Mask = NDArray[np.bool_]


class Kind(StrEnum):
    QUIET = "quiet"
    NEW = "new"
    MOVED = "moved"

    @property
    def volume(self) -> int:
        return 2_000 if self is Kind.MOVED else 500


@dataclass(frozen=True)
class Limits:
    near: float = NEAR
    share: float = SHARE
    fewest: int = FEWEST


OTHERS = [
    Limits(0, 0, 1), Limits(near=0), Limits(share=0, fewest=1), Limits(share=0), Limits(share=0.05), Limits(share=0.2),
    Limits(near=0.25), Limits(near=0.5), Limits(0.5, 0, 1), Limits(0.5, 0, 2), Limits(0.5, 0.05), Limits(0.75, 0, 1),
]  # fmt: skip


@dataclass(frozen=True)
class Came:
    """Rows of a day. said: the model's label; score: of the cut; changed: such as did not come before the change."""

    said: NDArray[np.str_]
    score: NDArray[np.float64]
    wrong: Mask
    changed: Mask
    fits_none: Mask
    settled: Mask


@dataclass(frozen=True)
class Alarm:
    """texts: those that fit no label, by the label that the model gave. label: whose answers were corrected more
    often."""

    day: int
    texts: Mapping[str, int]
    label: str | None

    def about(self, limits: Limits) -> dict[str, DriftSign]:
        """As `labels_about` in core/intake/drifting.py has it."""
        least = max(limits.fewest, limits.share * sum(self.texts.values()))
        found = {said: DriftSign.NONE_OF_THESE for said, count in self.texts.items() if count >= least}
        return found if self.label is None else found | {self.label: DriftSign.CORRECTIONS}


@dataclass(frozen=True)
class Played:
    """days: of a queue, those on which the reason holds, each with what the alarms until then are about."""

    alarms: Sequence[Alarm]
    days: Sequence[tuple[Came, Sequence[Alarm]]]


def played(traffic: Traffic, kind: Kind, rng: np.random.Generator) -> Played:
    history: list[Came] = []
    counts: list[DayCounts] = []
    alarms: list[Alarm] = []
    held: list[tuple[Came, Sequence[Alarm]]] = []
    for came in _days(traffic, kind, rng):
        day = len(history)
        recent = [alarm for alarm in alarms if day - alarm.day <= LASTS.days]
        if recent:
            held.append((came, recent))
        history.append(came)
        if day >= (LEARNED if kind is Kind.QUIET else CHANGE):
            half = came.settled & (rng.random(len(came.said)) < 0.5)
            found = _signs([*counts, _counts(day, came, half)], alarms)
            alarms += [_alarm(day, history, found)] if found else []
        counts.append(_counts(day, came, came.settled))
    return Played(alarms, held)


def _days(traffic: Traffic, kind: Kind, rng: np.random.Generator) -> Iterator[Came]:
    known, new = np.flatnonzero(~traffic.is_new), np.flatnonzero(traffic.is_new)
    labels = [label for label, _count in Counter(traffic.right[known].tolist()).most_common(FREQUENT)]
    label, other = rng.choice(labels, 2, replace=False)
    scores = traffic.score[rng.choice(known, SCORES)]
    share = Budget(None, BUDGET).rule_share(None, AUDIT)
    for day in range(DAYS):
        volume = kind.volume * (WEEKEND if day % 7 > 4 else 1)
        changes = day >= CHANGE
        strange = rng.poisson(volume * NEW) if changes and kind is Kind.NEW else 0
        places = np.concatenate([rng.choice(known, rng.poisson(volume)), rng.choice(new, strange)])
        right = traffic.right[places]
        moved = (right == label) & (rng.random(len(places)) < MOVED) & (changes and kind is Kind.MOVED)
        wrong = traffic.said[places] != np.where(moved, other, right)
        score = traffic.score[places] / max(cut_at(scores.tolist(), share), 1e-9)
        reviewed = (score >= 1) | (rng.random(len(places)) < AUDIT)
        fits_none = traffic.is_new[places] | (rng.random(len(places)) < MISTAKEN)
        yield Came(traffic.said[places], score, wrong, moved | traffic.is_new[places], fits_none, reviewed)
        scores = np.concatenate([scores, traffic.score[places]])[-SCORES:]


def _signs(days: Sequence[DayCounts], alarms: Sequence[Alarm]) -> list[Drift]:
    """Those that are about labels."""
    quiet: dict[DriftSign, int] = {}
    for alarm in alarms:
        quiet |= {DriftSign.NONE_OF_THESE: len(days) - 1 - alarm.day} if alarm.texts else {}
        quiet |= {DriftSign.CORRECTIONS: len(days) - 1 - alarm.day} if alarm.label is not None else {}
    policy = DriftPolicy()
    found = signs_of_drift(days, policy.level, policy.learn_days, quiet)
    return [drift for drift in found if drift.sign in (DriftSign.NONE_OF_THESE, DriftSign.CORRECTIONS)]


def _counts(day: int, came: Came, settled: Mask) -> DayCounts:
    none = came.fits_none & settled
    return DayCounts(
        weekday=day % 7,
        rows=len(came.said),
        model="v1",
        none_of_these=int(none.sum()),
        settled=Counter(came.said[settled].tolist()),
        wrong=Counter(came.said[settled & (came.wrong | none)].tolist()),
    )


def _alarm(day: int, history: Sequence[Came], found: Sequence[Drift]) -> Alarm:
    texts, label = Counter[str](), None
    for drift in found:
        if drift.sign is DriftSign.CORRECTIONS:
            label = drift.label
        else:
            for came in history[-drift.days :]:
                texts.update(came.said[came.settled & came.fits_none].tolist())
    return Alarm(day, texts, label)


@dataclass(frozen=True)
class Counts:
    """Of a queue, below the cut on the days of the reason. new, next_new: changed rows among the flagged and the next
    ones. sure, rare, both: changed rows that the limit on scores, that on
    labels or both leave out."""

    days: int
    flagged: int
    wrong: int
    new: int
    next_wrong: int
    next_new: int
    below: int
    below_wrong: int
    changed: int
    found: int
    sure: int
    rare: int
    both: int


def counted(run: Played, limits: Limits) -> Counts:
    total = np.zeros(12, int)
    for came, alarms in run.days:
        about: dict[str, DriftSign] = {}
        for alarm in alarms:
            about |= alarm.about(limits)
        total += _of_day(came, about, limits)
    return Counts(len(run.days), *(int(number) for number in total))


def _of_day(came: Came, about: Mapping[str, DriftSign], limits: Limits) -> NDArray[np.int_]:
    below = came.score < 1
    named = np.isin(came.said, list(about))
    all_scores = np.isin(came.said, [label for label, sign in about.items() if sign is DriftSign.CORRECTIONS])
    near = all_scores | (came.score >= limits.near)
    mine, changed = below & named & near, below & came.changed
    rest = np.flatnonzero(below)
    following = rest[np.argsort(-came.score[rest], kind="stable")[: int(mine.sum())]]
    masks = (
        below, below & came.wrong, changed, changed & mine, changed & named & ~near, changed & ~named & near,
        changed & ~named & ~near,
    )  # fmt: skip
    numbers = [
        mine.sum(), (mine & came.wrong).sum(), (mine & changed).sum(), came.wrong[following].sum(),
        came.changed[following].sum(),
    ]  # fmt: skip
    return np.array([*(int(number) for number in numbers), *(int(mask.sum()) for mask in masks)])


def told(runs: Sequence[Played], limits: Limits) -> dict[str, object]:
    table = np.array([list(vars(counted(run, limits)).values()) for run in runs], float)
    names = list(Counts.__dataclass_fields__)
    rng = np.random.default_rng(0)
    drawn = [table[rng.integers(len(table), size=len(table))].sum(0) for _ in range(RESAMPLES)]

    def share(part: str, whole: str) -> list[float] | None:
        top, bottom = names.index(part), names.index(whole)
        if not table[:, bottom].sum():
            return None
        low, high = np.quantile([one[top] / max(one[bottom], 1) for one in drawn], [0.025, 0.975])
        return [round(float(one), 3) for one in (table[:, top].sum() / table[:, bottom].sum(), low, high)]

    return {
        "flagged": int(table[:, names.index("flagged")].sum()),
        "a_day": share("flagged", "days"),
        "wrong": share("wrong", "flagged"),
        "next_wrong": share("next_wrong", "flagged"),
        "chance": share("below_wrong", "below"),
        "new": share("new", "flagged"),
        "next_new": share("next_new", "flagged"),
        "changed": int(table[:, names.index("changed")].sum()),
        "found": share("found", "changed"),
        "left_sure": share("sure", "changed"),
        "left_rare": share("rare", "changed"),
        "left_both": share("both", "changed"),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sets", nargs="+", default=SETS)
    options.add_argument("--models", type=int, default=3)
    options.add_argument("--queues", type=int, default=6)
    options.add_argument("--data", type=Path, default=DATA)
    chosen = options.parse_args()
    missing = [name for name in chosen.sets if not (chosen.data / name / "train.csv").exists()]
    if missing:
        sys.exit(f"There is no {chosen.data / missing[0]}/train.csv. Give the folder that holds it with --data.")
    summary = {name: _of_set(chosen.data / name, chosen.models, chosen.queues) for name in chosen.sets}
    print("SUMMARY", json.dumps(summary))


def _of_set(folder: Path, models: int, queues: int) -> dict[str, object]:
    runs: dict[Kind, list[Played]] = {kind: [] for kind in Kind}
    for seed in range(models):
        rows = [row for part in ("train", "val", "test") for row in rows_of(folder, part)]
        rng = np.random.default_rng(seed)
        traffic = traffic_of([rows[place] for place in rng.permutation(len(rows))], rng, seed)
        for kind in Kind:
            runs[kind] += [played(traffic, kind, np.random.default_rng([seed, n])) for n in range(queues)]
    return {kind: _of_kind(folder.name, kind, found) for kind, found in runs.items()}


def _of_kind(name: str, kind: Kind, runs: Sequence[Played]) -> dict[str, object]:
    looks = len(runs) * (DAYS - LEARNED if kind is Kind.QUIET else DAYS - CHANGE)
    signs = Counter("none_of_these" if alarm.texts else "corrections" for run in runs for alarm in run.alarms)
    without = sum(not run.alarms for run in runs)
    print(f"{name}, {kind}: {len(runs)} queues, {without} without an alarm; alarms {dict(signs)} on {looks:,} days")
    found: dict[str, object] = {"queues": len(runs), "days": looks, "alarms": dict(signs), "without": without}
    for limits in [Limits(), *OTHERS] if signs else []:
        measured = told(runs, limits)
        key = f"near {limits.near:g}, share {limits.share:g}, fewest {limits.fewest}"
        print(f"  {key:32}", _words(measured), flush=True)
        found[key] = measured
    return found


def _words(measured: Mapping[str, object]) -> str:
    return "; ".join(
        f"{name} {value[0]:.3f} [{value[1]:.3f}, {value[2]:.3f}]" if isinstance(value, list) else f"{name} {value}"
        for name, value in measured.items()
    )


if __name__ == "__main__":
    main()
