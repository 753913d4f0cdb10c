"""How many votes an item takes, and how often a lead has to decide, on public crowd data.

    python -m benchmarks.consensus [FOLDER]

FOLDER (default: ../shared/data/crowd) holds a folder for each data set, with votes.csv (task, worker, label) and
truth.csv (task, label). They are read, never shipped. Each item's votes are replayed in a random order, one after the
other, through the product's own rule (core/review/consensus.py), until it settles the item or calls for a lead: at the
policy's number of votes, or when the item's votes run out. Only items whose truth is known count, at most 800 of a set.
"""

import csv
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.machine import heading
from core.policy import ConsensusPolicy
from core.review.consensus import Dispute, Verdict, Vote, verdict

DATA = Path(__file__).resolve().parents[1] / ".." / "shared" / "data" / "crowd"
TWICE = "zc_all"  # holds the votes of zc_in and of zc_us, which are there too
MOST_VOTES = (3, 4, 5, 7)
SEEDS = (0, 1, 2)
ITEMS = 800  # of one set and seed

Votes = Mapping[str, Sequence[Vote]]  # by item


@dataclass(frozen=True)
class Replayed:
    """settled: share of items that need no lead; votes: per item; right: share of the settled ones."""

    settled: float
    votes: float
    right: float


def read(folder: Path) -> tuple[Votes, dict[str, str]]:
    """Votes and truth of one data set, of items that have both."""
    truth = {row["task"]: row["label"] for row in _rows(folder / "truth.csv")}
    votes: defaultdict[str, list[Vote]] = defaultdict(list)
    for row in _rows(folder / "votes.csv"):
        if row["task"] in truth:
            votes[row["task"]].append(Vote(row["worker"], row["label"]))
    return votes, truth


def replay(votes: Votes, truth: Mapping[str, str], policy: ConsensusPolicy, seed: int) -> Replayed:
    """One random order of items and votes, which is the same for each policy."""
    rng, items = np.random.default_rng(seed), sorted(votes)
    chosen = [items[place] for place in rng.permutation(len(items))[:ITEMS]]
    used, settled, right = 0, 0, 0
    for item in chosen:
        ordered = [votes[item][place] for place in rng.permutation(len(votes[item]))]
        taken, outcome = until_decided(ordered, policy)
        used += taken
        if isinstance(outcome, Verdict):
            settled, right = settled + 1, right + (outcome.label == truth[item])
    return Replayed(settled / len(chosen), used / len(chosen), right / settled)


def until_decided(votes: Sequence[Vote], policy: ConsensusPolicy) -> tuple[int, Verdict | Dispute]:
    """Votes in the order in which they come; how many were taken until the rule had an outcome."""
    for taken in range(1, len(votes) + 1):
        outcome = verdict(votes[:taken], 0, len(votes) - taken, policy)
        if outcome is not None:
            return taken, outcome
    raise ValueError("there must be a vote")


def replayed_sets(data: Path, policy: ConsensusPolicy, seeds: Sequence[int] = SEEDS) -> Iterator[tuple[str, Replayed]]:
    """Each data set with its mean over the seeds."""
    for folder in sorted(one for one in data.iterdir() if one.is_dir() and one.name != TWICE):
        votes, truth = read(folder)
        runs = [replay(votes, truth, policy, seed) for seed in seeds]
        yield folder.name, _mean(runs)


def _mean(runs: Sequence[Replayed]) -> Replayed:
    return Replayed(*np.mean([(one.settled, one.votes, one.right) for one in runs], axis=0).tolist())


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def main() -> None:
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    sys.stdout.write(heading() + "\nsettled: share of items without a lead; right: share of these\n")
    for most in MOST_VOTES:
        found = dict(replayed_sets(data, ConsensusPolicy(rule="lead_by_2", votes=most)))
        sys.stdout.write(f"\nlead_by_2, at most {most} votes   settled   votes per item   right\n")
        for name, one in {**found, f"mean of {len(found)}": _mean([*found.values()])}.items():
            sys.stdout.write(f"{name:<32}{one.settled:>7.1%}{one.votes:>17.2f}{one.right:>8.1%}\n")


if __name__ == "__main__":
    main()
