"""The scorecard of an evaluation, which is stored with the candidate, drawn on its card and judged by the gate."""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from core.errors import Invalid
from core.learning.evaluation.intervals import Interval, wilson
from core.learning.evaluation.paired_tests import mcnemar_p_value
from core.learning.evaluation.stored_texts import TextScore
from core.learning.evaluation.training_labels import RowsGone

Baseline = Literal["live", "recorded", "majority"]


@dataclass(frozen=True)
class RandomScore:
    """The comparison on the random golden examples that count. n: examples compared; left_out: examples without a
    recorded prediction. regressions: right before, wrong now; improvements: the reverse. difference: accuracy of the
    candidate minus accuracy of the live model, with its 95 % interval. ci_lower: the one-sided bound at the policy's
    alpha. p_value: exact one-sided p of McNemar's test, by groups. minimum_detectable_effect: see
    core/learning/evaluation/paired_tests.py; None: no drop could be detected. groups: the number of groups, such as
    patients; None: no example has a group. live_design, candidate_design: design effects of the two shares; see
    core/learning/evaluation/groups.py."""

    n: int
    left_out: int
    live_right: int
    candidate_right: int
    regressions: int
    improvements: int
    difference: Interval
    ci_lower: float
    p_value: float
    minimum_detectable_effect: float | None
    groups: int | None = None
    live_design: float = 1.0
    candidate_design: float = 1.0

    @property
    def live(self) -> Interval:
        return wilson(self.live_right / self.live_design, self.n / self.live_design)

    @property
    def candidate(self) -> Interval:
        return wilson(self.candidate_right / self.candidate_design, self.n / self.candidate_design)


@dataclass(frozen=True)
class PooledScore:
    """The comparison on all golden examples that count: random ones, and past errors that are not newer than the live
    model's golden set. It has counts only, because a share of this mixture, or a difference of shares, describes no
    population. past_errors: how many of the n are past errors. other_past_errors: past errors that do not count.
    near_live: random examples that do not count, because the live model may have learned from a near-duplicate.
    p_value: as in `RandomScore`; p_better: the p-value in the other direction, that the candidate is better; None: it
    was not stored and is computed from the counts."""

    n: int
    past_errors: int
    other_past_errors: int
    near_live: int
    regressions: int
    improvements: int
    p_value: float
    p_better: float | None = None

    @property
    def chance(self) -> float:
        """The probability that two equally good models differ by this much or more in the observed direction."""
        if self.p_better is not None:
            return self.p_better if self.improvements > self.regressions else self.p_value
        more, less = sorted((self.regressions, self.improvements), reverse=True)
        return mcnemar_p_value(more, less)


@dataclass(frozen=True)
class PastErrorScore:
    """Golden examples that some model once got wrong, whether they count or not. fixed: ids of those that only the
    candidate gets right; newly_wrong: ids of those that only the live model gets right. Both ascending."""

    n: int
    left_out: int
    live_right: int
    candidate_right: int
    fixed: tuple[int, ...]
    newly_wrong: tuple[int, ...]

    @property
    def live(self) -> Interval:
        return wilson(self.live_right, self.n)

    @property
    def candidate(self) -> Interval:
        return wilson(self.candidate_right, self.n)


@dataclass(frozen=True)
class TrainingScore:
    """The comparison on training rows that both models learned from. Each row is judged by its label in that model's
    snapshot, and answered by a model of other folds, which had not seen it. n: rows; the rest as in `RandomScore`."""

    n: int
    regressions: int
    improvements: int
    p_value: float


@dataclass(frozen=True)
class PinScore:
    """Pinned past errors to which both models have an answer. broken: those that the live model gets right and the
    candidate wrong. Both fields: ids of golden examples, ascending."""

    examples: tuple[int, ...]
    broken: tuple[int, ...]


@dataclass(frozen=True)
class LabelScore:
    """One label on the n random golden examples that have it. live_called, candidate_called: random examples to which
    the model gave this label.

    p_value: of `mcnemar_p_value` on these n examples. p_adjusted: after Holm over the tested labels; None: not tested.
    """

    label: str
    n: int
    live_right: int
    candidate_right: int
    live_called: int
    candidate_called: int
    regressions: int
    improvements: int
    p_value: float
    p_adjusted: float | None

    @property
    def tested(self) -> bool:
        return self.p_adjusted is not None

    @property
    def live_recall(self) -> float:
        return self.live_right / self.n

    @property
    def candidate_recall(self) -> float:
        return self.candidate_right / self.n

    @property
    def live_precision(self) -> float | None:
        return self.live_right / self.live_called if self.live_called else None

    @property
    def candidate_precision(self) -> float | None:
        return self.candidate_right / self.candidate_called if self.candidate_called else None


@dataclass(frozen=True)
class Flip:
    """A random golden example on which exactly one of the two models is right. label: the right one."""

    id: int
    label: str
    live: str
    candidate: str


@dataclass(frozen=True)
class Confusion:
    """The numbers of random examples of `label` to which the live model and the candidate gave the wrong label
    `said`."""

    label: str
    said: str
    live: int
    candidate: int


@dataclass(frozen=True)
class Calibration:
    """The calibration on the random examples. accepted: examples from the queue's traffic that would not be flagged for
    low confidence; seeds and an imported test set do not represent traffic."""

    n: int
    error: float
    accepted: int
    accepted_right: int

    @property
    def precision(self) -> float | None:
        """Share of right answers among those that would not be flagged; None if everything is flagged."""
        return self.accepted_right / self.accepted if self.accepted else None


@dataclass(frozen=True)
class Collapse:
    """A label of which the candidate gets no golden example right, neither random ones nor past errors."""

    label: str
    n: int
    live_right: int


@dataclass(frozen=True)
class Scorecard:
    """All numbers of an evaluation. baseline: the meaning of `live`: the live model, the sender's recorded predictions,
    or the majority label.

    labels, confusions, swapped, collapsed: in the order of the labels' names. Calibrations: None without confidences.
    swapped: pairs that the stored texts cannot judge. texts: None if no Goldloop model was live. training: None if the
    learner of one of the two models gives no held-out answers. rows_gone: empty without a live model.
    """

    baseline: Baseline
    random: RandomScore
    pooled: PooledScore
    past_errors: PastErrorScore
    pins: PinScore
    labels: tuple[LabelScore, ...]
    negative_flips: tuple[Flip, ...]
    positive_flips: tuple[Flip, ...]
    confusions: tuple[Confusion, ...]
    live_calibration: Calibration | None
    candidate_calibration: Calibration | None
    swapped: tuple[tuple[str, str], ...]
    collapsed: tuple[Collapse, ...]
    texts: TextScore | None
    training: TrainingScore | None = None
    rows_gone: tuple[RowsGone, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The scorecard as dicts, lists, texts and numbers, for a JSON column."""
        stored: dict[str, Any] = _ADAPTER.dump_python(self, mode="json")
        return stored

    @staticmethod
    def from_dict(stored: dict[str, Any]) -> "Scorecard":
        """The inverse of `as_dict`. Raises Invalid if `stored` is no scorecard."""
        try:
            return _ADAPTER.validate_python(stored)
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            raise Invalid(f"The stored scorecard cannot be read ({where}). Evaluate the candidate again.") from None


_ADAPTER = TypeAdapter(Scorecard)
