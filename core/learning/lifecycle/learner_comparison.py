"""Learners compared on a queue's own training rows: which one would answer unseen texts best, and at what cost?

Each row is answered by a model that was fitted without it, on the same folds for every learner; golden examples take no
part. Rows count by the share of the traffic for which they stand. Each learner works in a process of its own, so that
its memory is its own."""

import resource
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from core.errors import Invalid
from core.learning.data.inputs import Example
from core.learning.data.snapshots import Row, gather
from core.learning.data.traffic import flagged_share, traffic_shares
from core.learning.evaluation.groups import design_effect
from core.learning.evaluation.intervals import Interval, difference
from core.learning.evaluation.paired_tests import calibration_error
from core.learning.learners.base import Progress
from core.learning.learners.out_of_fold import out_of_fold
from core.policy import QueuePolicy

PLAINEST = "text"  # taken unless another one is better than chance explains: it needs no extra package
BUDGET = 0.2  # share of the texts that people look at, the least certain first


@dataclass(frozen=True)
class CrossValidated:
    """Predictions of a learner for held-out rows. places: of these rows, in order; right, confidences: one for each
    row; seconds: processor time; megabytes: peak memory of its process."""

    learner: str
    places: tuple[int, ...]
    right: NDArray[np.bool_]
    confidences: NDArray[np.float64]
    seconds: float
    megabytes: float


@dataclass(frozen=True)
class Comparison:
    """accuracy, calibration_error, caught: in [0, 1], of traffic; caught: the share of its errors among the fifth of
    the texts about which it is least certain. gain: over the plainest learner, unweighted, on the rows that both
    answered, as many as their groups are worth; None for that one."""

    learner: str
    accuracy: float
    calibration_error: float
    caught: float
    gain: Interval | None
    seconds: float
    megabytes: float


def comparable_rows(session: Session, queue_id: int, policy: QueuePolicy) -> tuple[list[Row], list[float]]:
    """The rows that may train, each with the share of the traffic for which it stands."""
    rows = gather(session, queue_id, policy)
    return rows, traffic_shares(rows, flagged_share(session, queue_id))


def cross_validate(
    learner: str, extra_learners: Mapping[str, str], examples: Sequence[Example], seed: int, progress: Progress
) -> CrossValidated:
    """Cross-validate a learner; to be run in another process. Raises Invalid as `out_of_fold` does."""
    began = time.process_time()
    held_out = out_of_fold(learner, extra_learners, examples, seed, progress)
    if not held_out.places:
        apart = " of different groups" if any(one.input.group for one in examples) else ""
        raise Invalid(f"No label has two training rows{apart}, so none can be held out.")
    said = np.array(held_out.classes)[held_out.probabilities.argmax(axis=1)]
    right = said == np.array([examples[place].label for place in held_out.places])
    confidences = held_out.probabilities.max(axis=1)
    unit = 2**20 if sys.platform == "darwin" else 2**10
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return CrossValidated(learner, held_out.places, right, confidences, time.process_time() - began, megabytes)


def compare_learners(
    tried: Sequence[CrossValidated], shares: Sequence[float], groups: Sequence[str] = ()
) -> list[Comparison]:
    """Comparisons in the order given. shares: of all rows, as `comparable_rows` gives them. groups: of all rows,
    each its group or ""; empty: no row has one."""
    plainest = next((one for one in tried if one.learner == PLAINEST), None)
    return [_comparison(one, np.array(shares)[list(one.places)], plainest, groups) for one in tried]


def recommended(comparisons: Sequence[Comparison]) -> Comparison:
    """The most accurate of those whose gain over the plainest learner is above 0 with 95 % confidence; the plainest if
    there is none. comparisons: at least one."""
    better = [one for one in comparisons if one.gain and one.gain.low > 0]
    plainest = [one for one in comparisons if one.gain is None]
    return max(better or plainest or list(comparisons), key=lambda one: one.accuracy)


def _comparison(
    one: CrossValidated, shares: NDArray[np.float64], plainest: CrossValidated | None, groups: Sequence[str]
) -> Comparison:
    return Comparison(
        one.learner,
        float(np.average(one.right, weights=shares)),
        calibration_error(one.confidences, one.right),
        _caught(one, shares),
        None if plainest is None or one is plainest else _gain(one, plainest, groups),
        one.seconds,
        one.megabytes,
    )


def _caught(one: CrossValidated, shares: NDArray[np.float64]) -> float:
    """1 where there is no error. Rows of the same confidence count in their order."""
    order = np.argsort(one.confidences, kind="stable")
    looked_at = np.cumsum(shares[order]) <= BUDGET * shares.sum()
    errors = shares[order] * ~one.right[order]
    return float(errors[looked_at].sum() / errors.sum()) if errors.any() else 1.0


def _gain(one: CrossValidated, plainest: CrossValidated, groups: Sequence[str]) -> Interval:
    before = dict(zip(plainest.places, plainest.right, strict=True))
    now = {place: right for place, right in zip(one.places, one.right, strict=True) if place in before}
    changes = [int(right) - int(before[place]) for place, right in now.items()]
    design = design_effect(changes, [groups[place] if groups else "" for place in now])
    return difference(changes.count(-1) / design, changes.count(1) / design, len(changes) / design)
