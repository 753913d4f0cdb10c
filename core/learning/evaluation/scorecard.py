"""The scorecard of an evaluation: stored with the candidate, drawn on its card, judged by the gate."""

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
    """The random golden examples that count, on which past and candidate are compared.

    n: compared; left_out: those without a recorded prediction. regressions: right before, wrong now; improvements: the
    reverse. difference: accuracy now minus before, 95 %. ci_lower: its one-sided bound at the policy's alpha. p_value:
    exact one-sided p of McNemar's test, by groups. minimum_detectable_effect: see
    core/learning/evaluation/paired_tests.py; None: no drop. groups: into how many the examples fall, such as patients;
    None: no example has a group. live_design, candidate_design: design effects of the two shares; see
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
    """The golden examples that count: random ones, and past errors that are not newer than the live model's golden set.

    Counts alone: a share of this mixture, or a difference of shares, describes no population. past_errors: how many of
    the n are past errors. other_past_errors: those that do not count. near_live: random examples that do not count,
    because the live model may have learned from a near-duplicate. p_value: as of `RandomScore`; p_better: that of the
    live model against the candidate; None: none was stored, and the counts give it."""

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
        """How often two equally good models differ by this much or more in the direction in which these two do."""
        if self.p_better is not None:
            return self.p_better if self.improvements > self.regressions else self.p_value
        more, less = sorted((self.regressions, self.improvements), reverse=True)
        return mcnemar_p_value(more, less)


@dataclass(frozen=True)
class PastErrorScore:
    """Golden examples that were errors of a model once, whether they count or not. fixed: ids of those that only the
    candidate gets right; newly_wrong: of those that only the live model does. Both ascending."""

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
    """Training rows that both models learned from, each judged by its label in that model's snapshot, and answered by a
    model that had not seen it. n: rows; the rest as of `RandomScore`."""

    n: int
    regressions: int
    improvements: int
    p_value: float


@dataclass(frozen=True)
class PinScore:
    """Pinned past errors to which both have an answer. broken: those that the live model gets right and the candidate
    wrong. Both: ids of golden examples, ascending."""

    examples: tuple[int, ...]
    broken: tuple[int, ...]


@dataclass(frozen=True)
class LabelScore:
    """One label on the n random golden examples that have it. `called`: random examples that were given this label.

    p_value: that of `mcnemar_p_value` on these n examples. p_adjusted: after Holm over the tested labels; None: not
    tested.
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
    """A random golden example on which exactly one of the two is right. `label` is the right one."""

    id: int
    label: str
    live: str
    candidate: str


@dataclass(frozen=True)
class Confusion:
    """How many random examples of `label` were given the wrong label `said`: by the live model and by the candidate."""

    label: str
    said: str
    live: int
    candidate: int


@dataclass(frozen=True)
class Calibration:
    """Confidence against truth on the random examples. accepted: those of the queue's traffic that would not be flagged
    for low confidence; seeds and a test set of one's own stand for no traffic."""

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
    """A label of which the candidate gets no golden example right, of either kind."""

    label: str
    n: int
    live_right: int


@dataclass(frozen=True)
class Scorecard:
    """baseline: what `live` is: the live model, the sender's recorded predictions, or the majority label.

    labels, confusions, swapped, collapsed: in the order of the labels' names. Calibrations: None without confidences.
    swapped: pairs that the texts do not judge. texts: None if no Goldloop model was live. training: None if the learner
    of one of the two does not say what it gets right of rows held out. rows_gone: empty without a live model.
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
        """The scorecard for a JSON column: only dicts, lists, text and numbers."""
        stored: dict[str, Any] = _ADAPTER.dump_python(self, mode="json")
        return stored

    @staticmethod
    def from_dict(stored: dict[str, Any]) -> "Scorecard":
        """The inverse of `as_dict`. Raises Invalid if it is none."""
        try:
            return _ADAPTER.validate_python(stored)
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            raise Invalid(f"The stored scorecard cannot be read ({where}). Evaluate the candidate again.") from None


_ADAPTER = TypeAdapter(Scorecard)
