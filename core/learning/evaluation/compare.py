"""Comparison of a candidate with the live model on the golden set.

Random golden examples were drawn independently of any model's answer: shares and differences come only from them. Past
errors were chosen because a model got them wrong. Those that the live model's golden set already had favour neither of
the two models, and count in the pooled test. Newer past errors were chosen because the live model got them wrong: any
candidate looks better on them, so they are shown but do not count.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import Invalid
from core.learning.data.inputs import Input
from core.learning.evaluation.label_checks import collapsed, swaps
from core.learning.evaluation.paired_scores import (
    Pair,
    confusions,
    flips,
    label_scores,
    past_error_score,
    pin_score,
    pooled_score,
    random_score,
)
from core.learning.evaluation.paired_tests import calibration_error
from core.learning.evaluation.scorecard import Baseline, Calibration, Collapse, Scorecard
from core.learning.evaluation.stored_texts import TextScore
from core.learning.learners.base import Fitted
from core.policy import QueuePolicy
from core.vocabulary import Stratum


@dataclass(frozen=True)
class GoldenRow:
    """A golden example: its id, the input, the right label, and its stratum. counts: whether it may decide about the
    candidate; see core/learning/evaluation/eligibility.py. pinned: a past error that must not be wrong again.
    is_traffic: it came with the queue's traffic; others, such as seeds, count in no estimate about traffic."""

    id: int
    input: Input
    label: str
    stratum: Stratum
    counts: bool = True
    pinned: bool = False
    is_traffic: bool = True


@dataclass(frozen=True)
class Predicted:
    """A model's answers to the golden rows, in their order. labels: None where no prediction was recorded, or where the
    model cannot read the row.

    confidences: the probability of each label given; None for a row, or for all, where it is not known.
    """

    labels: tuple[str | None, ...]
    confidences: tuple[float | None, ...] | None = None

    def at(self, places: Sequence[int]) -> "Predicted":
        """The answers to the rows at these positions only."""
        known = None if self.confidences is None else tuple(self.confidences[place] for place in places)
        return Predicted(tuple(self.labels[place] for place in places), known)

    def confidence(self, place: int) -> float | None:
        return None if self.confidences is None or self.labels[place] is None else self.confidences[place]


def predict(fitted: Fitted, golden: Sequence[GoldenRow]) -> Predicted:
    """The model's answers to the golden rows; see `answers`."""
    return answers(fitted, [row.input for row in golden])


def answers(fitted: Fitted, inputs: Sequence[Input]) -> Predicted:
    """The most probable label of each input and its probability. Ties: the first in the model's order. An input that
    the model cannot read gets no label: a label would be a guess, and count as a wrong answer."""
    if not inputs:
        return Predicted((), ())
    shares = fitted.probabilities(inputs)
    labels = tuple(
        fitted.classes[column] if one.has_any(fitted.reads) else None
        for one, column in zip(inputs, shares.argmax(axis=1), strict=True)
    )
    return Predicted(labels, tuple(float(share) for share in shares.max(axis=1)))


def always(label: str, golden: Sequence[GoldenRow]) -> Predicted:
    """The same label for every row: the baseline of the first candidate if there is no model."""
    return Predicted((label,) * len(golden))


def compare(
    golden: Sequence[GoldenRow],
    live: Predicted,
    candidate: Predicted,
    policy: QueuePolicy,
    baseline: Baseline = "live",
    texts: TextScore | None = None,
) -> Scorecard:
    """The candidate's scorecard; see `Scorecard` for each number.

    live, candidate: one answer per golden row; the order of the rows does not matter. Rows without an answer of `live`
    are left out of all paired numbers and counted, and so are random rows that do not count. policy: its promotion
    section and each label's flagging confidence are used. texts: the comparison on the newest stored texts, if a model
    is live. No golden rows: a scorecard of zeros. Raises Invalid if an answer is missing or the candidate lacks one.
    """
    if not len(golden) == len(live.labels) == len(candidate.labels):
        raise Invalid(
            f"{len(golden)} golden rows need as many answers: {len(live.labels)} and {len(candidate.labels)}."
        )
    near_live = sum(row.stratum is Stratum.RANDOM and not row.counts for row in golden)
    golden, live, candidate = _without_near_live(golden, live, candidate)
    random, past = (_pairs(golden, live, candidate, stratum) for stratum in (Stratum.RANDOM, Stratum.PAST_ERROR))
    counting = {row.id for row in golden if row.counts}
    eligible = [pair for pair in past if pair.id in counting]
    missing = Counter(row.stratum for row, label in zip(golden, live.labels, strict=True) if label is None)
    live_calibration, candidate_calibration = _calibrations(golden, live, candidate, policy.confidence_threshold)
    return Scorecard(
        baseline=baseline,
        random=random_score(random, missing[Stratum.RANDOM], policy.promotion.alpha),
        pooled=pooled_score(random, eligible, len(past) - len(eligible), near_live),
        past_errors=past_error_score(past, missing[Stratum.PAST_ERROR]),
        pins=pin_score(past, {row.id for row in golden if row.pinned}),
        labels=label_scores(random, policy.promotion.class_rows),
        negative_flips=flips(pair for pair in random if pair.is_regression),
        positive_flips=flips(pair for pair in random if pair.is_improvement),
        confusions=confusions(random),
        live_calibration=live_calibration,
        candidate_calibration=candidate_calibration,
        swapped=tuple(pair for pair in _new_swaps(golden, live, candidate) if not (texts and texts.judges(pair))),
        collapsed=_collapses(golden, live, candidate),
        texts=texts,
    )


def _without_near_live(
    golden: Sequence[GoldenRow], live: Predicted, candidate: Predicted
) -> tuple[list[GoldenRow], Predicted, Predicted]:
    """Leave out random rows that do not count: they would flatter the live model in every number."""
    places = [place for place, row in enumerate(golden) if row.counts or row.stratum is Stratum.PAST_ERROR]
    return [golden[place] for place in places], live.at(places), candidate.at(places)


def _pairs(golden: Sequence[GoldenRow], live: Predicted, candidate: Predicted, stratum: Stratum) -> list[Pair]:
    pairs = []
    for row, before, now in zip(golden, live.labels, candidate.labels, strict=True):
        if now is None:
            raise Invalid(f"The candidate gave no answer for golden example {row.id}.")
        if before is not None and row.stratum is stratum:
            pairs.append(Pair(row.id, row.label, before, now, row.input.group))
    return sorted(pairs, key=lambda pair: pair.id)


def _calibrations(
    golden: Sequence[GoldenRow], live: Predicted, candidate: Predicted, threshold: Callable[[str], float]
) -> tuple[Calibration | None, Calibration | None]:
    """The calibrations of both models, on the random rows for which both have confidences, because the error depends on
    the number of rows."""
    random = [place for place, row in enumerate(golden) if row.stratum is Stratum.RANDOM]
    live_known = [place for place in random if live.confidence(place) is not None]
    shared = [place for place in live_known or random if candidate.confidence(place) is not None]
    before = _calibration(golden, live, shared, threshold) if live_known and shared else None
    return before, _calibration(golden, candidate, shared, threshold) if shared else None


def _calibration(
    golden: Sequence[GoldenRow], model: Predicted, places: Sequence[int], threshold: Callable[[str], float]
) -> Calibration:
    answers = [(model.labels[place] or "", model.confidence(place) or 0.0) for place in places]
    right = np.array([golden[place].label == label for place, (label, _) in zip(places, answers, strict=True)])
    traffic = np.array([golden[place].is_traffic for place in places])
    accepted = traffic & np.array([confidence >= threshold(label) for label, confidence in answers])
    error = calibration_error(np.array([confidence for _, confidence in answers]), right)
    return Calibration(len(places), error, int(accepted.sum()), int((accepted & right).sum()))


def _new_swaps(golden: Sequence[GoldenRow], live: Predicted, candidate: Predicted) -> tuple[tuple[str, str], ...]:
    """Swaps of the candidate that `live` does not show, on the random rows or on all rows. Both are checked, because a
    label may have too few random rows, and because past errors of two labels that are hard to tell apart look like a
    swap by the model that made them.
    """
    random = [place for place, row in enumerate(golden) if row.stratum is Stratum.RANDOM]
    found: set[tuple[str, str]] = set()
    for places in (random, range(len(golden))):
        labels = [golden[place].label for place in places]
        now, before = ([model.labels[place] for place in places] for model in (candidate, live))
        found |= swaps(labels, now) - swaps(labels, before)
    return tuple(sorted(found))


def _collapses(golden: Sequence[GoldenRow], live: Predicted, candidate: Predicted) -> tuple[Collapse, ...]:
    labels = [row.label for row in golden]
    right = Counter(label for label, answer in zip(labels, live.labels, strict=True) if label == answer)
    lost = collapsed(labels, live.labels, candidate.labels)
    return tuple(Collapse(label, labels.count(label), right[label]) for label in lost)
