"""The paired part of a scorecard: counts of golden examples with an answer by each of the two models."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.learning.evaluation.groups import design_effect, grouped_p_value
from core.learning.evaluation.intervals import difference
from core.learning.evaluation.paired_tests import holm, minimum_detectable_effect
from core.learning.evaluation.scorecard import (
    Confusion,
    Flip,
    LabelScore,
    PastErrorScore,
    PinScore,
    PooledScore,
    RandomScore,
    TrainingScore,
)


@dataclass(frozen=True)
class Pair:
    """A golden example to which both models have an answer. label: the right one; group: "" if it has none."""

    id: int
    label: str
    live: str
    candidate: str
    group: str = ""

    @property
    def live_right(self) -> bool:
        return self.live == self.label

    @property
    def candidate_right(self) -> bool:
        return self.candidate == self.label

    @property
    def is_regression(self) -> bool:
        return self.live_right and not self.candidate_right

    @property
    def is_improvement(self) -> bool:
        return self.candidate_right and not self.live_right

    @property
    def change(self) -> int:
        """1: newly right, -1: newly wrong, 0: neither."""
        return self.candidate_right - self.live_right


def random_score(pairs: Sequence[Pair], left_out: int, alpha: float) -> RandomScore:
    """The score on the random examples. Intervals and the detectable effect are those of as many independent inputs as
    the groups are worth."""
    n, regressions, improvements = len(pairs), sum(p.is_regression for p in pairs), sum(p.is_improvement for p in pairs)
    design = _design([pair.change for pair in pairs], pairs)
    worth = (regressions / design, improvements / design, n / design)
    churn = round(min(regressions, improvements) / design)
    return RandomScore(
        n=n,
        left_out=left_out,
        live_right=sum(p.live_right for p in pairs),
        candidate_right=sum(p.candidate_right for p in pairs),
        regressions=regressions,
        improvements=improvements,
        difference=difference(*worth),
        ci_lower=difference(*worth, 1 - 2 * alpha).low,
        p_value=_p_value(pairs),
        minimum_detectable_effect=minimum_detectable_effect(int(n / design), churn, alpha),
        groups=_groups(pairs),
        live_design=_design([pair.live_right for pair in pairs], pairs),
        candidate_design=_design([pair.candidate_right for pair in pairs], pairs),
    )


def pooled_score(random: Sequence[Pair], past_errors: Sequence[Pair], others: int, near_live: int) -> PooledScore:
    """The score on the examples that count. past_errors: those that count. others, near_live: the numbers of past
    errors and of random examples that do not count."""
    pairs = [*random, *past_errors]
    regressions, improvements = sum(p.is_regression for p in pairs), sum(p.is_improvement for p in pairs)
    return PooledScore(
        n=len(pairs),
        past_errors=len(past_errors),
        other_past_errors=others,
        near_live=near_live,
        regressions=regressions,
        improvements=improvements,
        p_value=_p_value(pairs),
        p_better=grouped_p_value([-pair.change for pair in pairs], [pair.group for pair in pairs]),
    )


def past_error_score(pairs: Sequence[Pair], left_out: int) -> PastErrorScore:
    return PastErrorScore(
        n=len(pairs),
        left_out=left_out,
        live_right=sum(p.live_right for p in pairs),
        candidate_right=sum(p.candidate_right for p in pairs),
        fixed=tuple(p.id for p in pairs if p.is_improvement),
        newly_wrong=tuple(p.id for p in pairs if p.is_regression),
    )


def training_score(
    live: Mapping[str, bool], candidate: Mapping[str, bool], groups: Mapping[str, str] = {}
) -> TrainingScore:
    """The score on the training rows. live, candidate: content hash -> whether the row is right when held out. groups:
    content hash -> group, for rows that have one."""
    both = [one for one in candidate if one in live]
    changes = [int(candidate[one]) - int(live[one]) for one in both]
    p_value = grouped_p_value(changes, [groups.get(one, "") for one in both])
    return TrainingScore(len(both), changes.count(-1), changes.count(1), p_value)


def pin_score(past_errors: Sequence[Pair], pinned: Collection[int]) -> PinScore:
    pairs = [pair for pair in past_errors if pair.id in pinned]
    return PinScore(tuple(pair.id for pair in pairs), tuple(pair.id for pair in pairs if pair.is_regression))


def label_scores(pairs: Sequence[Pair], class_rows: int) -> tuple[LabelScore, ...]:
    """A score per label. Only labels with at least `class_rows` rows are tested, and Holm's adjustment is over
    these."""
    counts = Counter(pair.label for pair in pairs)
    tested = sorted(label for label, n in counts.items() if n >= class_rows)
    p_values = {label: _p_value([p for p in pairs if p.label == label]) for label in counts}
    p_adjusted = dict(zip(tested, holm([p_values[label] for label in tested]), strict=True))
    return tuple(_label_score(label, pairs, p_values[label], p_adjusted.get(label)) for label in sorted(counts))


def _p_value(pairs: Sequence[Pair]) -> float:
    return grouped_p_value([pair.change for pair in pairs], [pair.group for pair in pairs])


def _design(values: Sequence[float], pairs: Sequence[Pair]) -> float:
    return design_effect(values, [pair.group for pair in pairs])


def _groups(pairs: Sequence[Pair]) -> int | None:
    """The number of groups among the examples; None: no example has a group."""
    named = {pair.group for pair in pairs if pair.group}
    return len(named) + sum(not pair.group for pair in pairs) if named else None


def _label_score(label: str, pairs: Sequence[Pair], p_value: float, p_adjusted: float | None) -> LabelScore:
    own = [pair for pair in pairs if pair.label == label]
    return LabelScore(
        label=label,
        n=len(own),
        live_right=sum(p.live_right for p in own),
        candidate_right=sum(p.candidate_right for p in own),
        live_called=sum(p.live == label for p in pairs),
        candidate_called=sum(p.candidate == label for p in pairs),
        regressions=sum(p.is_regression for p in own),
        improvements=sum(p.is_improvement for p in own),
        p_value=p_value,
        p_adjusted=p_adjusted,
    )


def flips(pairs: Iterable[Pair]) -> tuple[Flip, ...]:
    return tuple(Flip(pair.id, pair.label, pair.live, pair.candidate) for pair in pairs)


def confusions(pairs: Iterable[Pair]) -> tuple[Confusion, ...]:
    """The pairs of right and wrong label that at least one of the two models confuses, sorted by name."""
    pairs = list(pairs)
    live = Counter((pair.label, pair.live) for pair in pairs if not pair.live_right)
    candidate = Counter((pair.label, pair.candidate) for pair in pairs if not pair.candidate_right)
    return tuple(Confusion(*both, live[both], candidate[both]) for both in sorted(live | candidate))
