"""Errors found per item by the further reasons to flag a prediction, beside the least sure predictions and chance.

    python -m benchmarks.reasons [--sets hwu64 banking77] [--seeds 3] [--data FOLDER]

For each set and seed, the learner `text` is fitted on 20 rows of each label (the live model) and on 25 (a candidate in
shadow). Two labels stay out of both. The other rows come in random order, in two halves; all rows of these two labels
come in the second one, as at most 5 % of it. A tenth of all rows has a field that says "fax", and for 30 % of these
another label than the set's is right. A budget's cut flags the fifth of the first half's rows that the live model
suspects most, and 5 % are audited; people settle these. Among the rows of the second half that are below the cut:

* disagreement: the candidate gives another label
* drift: after a quarter of the second half, an alarm; the labels that at least a tenth of the flagged rows without a
  fitting label have until then; of the rows after it, those with at least a tenth of the cut's score
* weak slice: in one of the three most certain slices of `core/quality/slices.py`, from the first half's settled rows

uncertain: the rows of the second half from the cut on. next unsure: the most suspect tenth of those below it. chance:
all below it. FOLDER (default: ../shared/data) is as for benchmarks/flagging.py. Of each reason: rows, and the share of
them that the live model gets wrong, pooled over the seeds, with the least and the most of a seed. The last line is
SUMMARY and the figures as JSON. Results of one run: benchmarks/reasons.txt."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.flagging import rows_of
from benchmarks.learners import DATA
from core.intake.cuts import cut_at
from core.intake.drifting import FEWEST, SHARE
from core.intake.reasons.disagreement import disagreement
from core.intake.reasons.drift import NEAR
from core.learning.data.inputs import Example
from core.learning.learners.suspicion import suspicion_of
from core.learning.learners.text import TextLearner
from core.policy.slices import SlicesPolicy
from core.quality.slices import KnownRow, familiar_words, is_inside, weak_slices
from core.review.known_rows import NEWEST

SETS = ("hwu64", "banking77")
LIVE, CANDIDATE = 20, 25  # training rows of a label
UNKNOWN_LABELS, UNKNOWN_ROWS = 2, 0.05  # that no model knows; largest share of the second half
BUDGET, AUDIT = 0.2, 0.05
ALARM = 0.25  # of the second half
FAX, OTHERWISE = 0.1, 0.3  # share of the rows; of these, for which another label is right
NEXT = 0.1  # of the rows below the cut
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Traffic:
    """Rows in the order in which they came. right: the true label; said, second: the live model's two best labels;
    other: the candidate's. score: suspicion. is_new: no model knows the label. is_fax: in the
    weak slice. first: of the first half."""

    texts: Sequence[str]
    right: NDArray[np.str_]
    said: NDArray[np.str_]
    second: NDArray[np.str_]
    other: NDArray[np.str_]
    score: NDArray[np.float64]
    is_new: Mask
    is_fax: Mask
    first: Mask

    @property
    def wrong(self) -> Mask:
        return np.asarray(self.said != self.right)


def played(folder: Path, rng: np.random.Generator, seed: int) -> dict[str, tuple[int, int]]:
    """For each reason: rows and errors."""
    rows = [row for part in ("train", "val", "test") for row in rows_of(folder, part)]
    traffic = traffic_of([rows[place] for place in rng.permutation(len(rows))], rng, seed)
    cut = cut_at(traffic.score[traffic.first].tolist(), BUDGET)
    flagged, later = traffic.score >= cut, ~traffic.first
    below, near = later & ~flagged, later & ~flagged & (traffic.score >= NEAR * cut)
    differs = np.array([disagreement(one, two, "v2") is not None for one, two in _pairs(traffic)])
    since = np.arange(len(later)) >= (1 - (1 - ALARM) / 2) * len(later)
    slices = _in_slices(traffic, flagged, rng)
    found: Mapping[str, Mask] = {
        "uncertain": later & flagged,
        "next unsure": below & (traffic.score >= np.quantile(traffic.score[below], 1 - NEXT)),
        "chance": below,
        "disagreement": below & differs,
        "drift": near & since & np.isin(traffic.said, _drifting(traffic, later & ~since & flagged)),
        "weak slice": below & slices,
    }
    return {name: (int(mine.sum()), int((mine & traffic.wrong).sum())) for name, mine in found.items()}


def traffic_of(rows: Sequence[Example], rng: np.random.Generator, seed: int) -> Traffic:
    labels = sorted({row.label for row in rows})
    unknown = set(rng.choice(labels, UNKNOWN_LABELS, replace=False).tolist())
    seen, known = Counter[str](), []
    for row in rows:
        if row.label not in unknown:
            seen[row.label] += 1
            known.append((seen[row.label], row))
    came = [row for place, row in known if place > CANDIDATE]
    half = len(came) // 2
    new = [row for row in rows if row.label in unknown][: round(UNKNOWN_ROWS / (1 - UNKNOWN_ROWS) * half)]
    late = came[half:] + new
    came = came[:half] + [late[place] for place in rng.permutation(len(late))]
    is_fax = rng.random(len(came)) < FAX
    right = np.array([row.label for row in came])
    right = np.where(is_fax & (rng.random(len(came)) < OTHERWISE), rng.choice(right, len(came)), right)
    inputs = [row.input for row in came]
    live, candidate = (
        TextLearner().fit([row for place, row in known if place <= most], seed, lambda _step: None)
        for most in (LIVE, CANDIDATE)
    )
    shares, others = live.probabilities(inputs), candidate.probabilities(inputs)
    best = np.argsort(-shares, axis=1)
    names = np.array(live.classes)
    return Traffic(
        texts=[row.input.text for row in came],
        right=right,
        said=names[best[:, 0]],
        second=names[best[:, 1]],
        other=np.array(candidate.classes)[others.argmax(axis=1)],
        score=suspicion_of(live, inputs, shares),
        is_new=np.array([row.label in unknown for row in came]),
        is_fax=is_fax,
        first=np.arange(len(came)) < half,
    )


def _pairs(traffic: Traffic) -> Sequence[tuple[str, str]]:
    return list(zip(traffic.said.tolist(), traffic.other.tolist(), strict=True))


def _drifting(traffic: Traffic, settled: Mask) -> list[str]:
    """As `labels_about` in core/intake/drifting.py has it."""
    counts = Counter(traffic.said[settled & traffic.is_new].tolist())
    return [label for label, count in counts.items() if count >= max(FEWEST, SHARE * counts.total())]


def _in_slices(traffic: Traffic, flagged: Mask, rng: np.random.Generator) -> Mask:
    known = traffic.first & (flagged | (rng.random(len(flagged)) < AUDIT))
    rows = [_row(traffic, place, bool(flagged[place])) for place in np.flatnonzero(known)[-NEWEST:]]
    weak, familiar = weak_slices(rows)[: SlicesPolicy().asked], frozenset(familiar_words(rows))
    inside = [
        any(is_inside(one.look, _row(traffic, place, reviewed=False), familiar) for one in weak)
        for place in range(len(flagged))
    ]
    return np.array(inside)


def _row(traffic: Traffic, place: int, reviewed: bool) -> KnownRow:
    said, second = str(traffic.said[place]), str(traffic.second[place])
    fields = {"channel": "fax" if traffic.is_fax[place] else "web"}
    return KnownRow(int(place), traffic.texts[place], fields, said, second, bool(traffic.wrong[place]), reviewed)


def _told(name: str, runs: Sequence[tuple[int, int]]) -> dict[str, float | None]:
    rows, errors = sum(n for n, _wrong in runs), sum(wrong for _n, wrong in runs)
    shares = [wrong / n for n, wrong in runs if n]
    spread = f"{errors / rows:.3f} wrong [{min(shares):.3f}, {max(shares):.3f}]" if shares else "none"
    print(f"  {name:13}{rows:6,} rows, {spread}", flush=True)
    return {"rows": rows, "wrong": round(errors / rows, 4) if rows else None}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sets", nargs="+", default=SETS)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--data", type=Path, default=DATA)
    chosen = options.parse_args()
    missing = [name for name in chosen.sets if not (chosen.data / name / "train.csv").exists()]
    if missing:
        sys.exit(f"There is no {chosen.data / missing[0]}/train.csv. Give the folder that holds it with --data.")
    summary = {}
    for name in chosen.sets:
        runs = [played(chosen.data / name, np.random.default_rng(seed), seed) for seed in range(chosen.seeds)]
        print(f"{name}, {chosen.seeds} seeds", flush=True)
        summary[name] = {reason: _told(reason, [run[reason] for run in runs]) for reason in runs[0]}
    print("SUMMARY", json.dumps(summary))


if __name__ == "__main__":
    main()
