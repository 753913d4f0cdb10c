"""Golden examples with two answers each, counted: the paired part of a scorecard."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.learning.evaluation.intervals import difference
from core.learning.evaluation.paired_tests import chance_of_worse, detectable_fall, holm
from core.learning.evaluation.scorecard import Flip, LabelScore, PastErrorScore, RandomScore


@dataclass(frozen=True)
class Pair:
    """A golden example to which both have an answer. `label` is the right one."""

    id: int
    label: str
    live: str
    candidate: str

    @property
    def live_right(self) -> bool:
        return self.live == self.label

    @property
    def candidate_right(self) -> bool:
        return self.candidate == self.label

    @property
    def broken(self) -> bool:
        return self.live_right and not self.candidate_right

    @property
    def gained(self) -> bool:
        return self.candidate_right and not self.live_right


def random_score(pairs: Sequence[Pair], left_out: int, alpha: float) -> RandomScore:
    n, broken, gained = len(pairs), sum(p.broken for p in pairs), sum(p.gained for p in pairs)
    return RandomScore(
        n=n,
        left_out=left_out,
        live_right=sum(p.live_right for p in pairs),
        candidate_right=sum(p.candidate_right for p in pairs),
        broken=broken,
        gained=gained,
        difference=difference(broken, gained, n),
        lowest=difference(broken, gained, n, 1 - 2 * alpha).low,
        chance_of_worse=chance_of_worse(broken, gained),
        detectable_fall=detectable_fall(n, min(broken, gained), alpha),
    )


def past_error_score(pairs: Sequence[Pair], left_out: int) -> PastErrorScore:
    return PastErrorScore(
        n=len(pairs),
        left_out=left_out,
        live_right=sum(p.live_right for p in pairs),
        candidate_right=sum(p.candidate_right for p in pairs),
        fixed=tuple(p.id for p in pairs if p.gained),
        broken_again=tuple(p.id for p in pairs if p.broken),
    )


def label_scores(pairs: Sequence[Pair], class_rows: int) -> tuple[LabelScore, ...]:
    """Holm's adjustment is over the labels that have `class_rows` rows, and no others: those are not tested."""
    counts = Counter(pair.label for pair in pairs)
    tested = sorted(label for label, n in counts.items() if n >= class_rows)
    chances = {label: _chance([p for p in pairs if p.label == label]) for label in counts}
    adjusted = dict(zip(tested, holm([chances[label] for label in tested]), strict=True))
    return tuple(_label_score(label, pairs, chances[label], adjusted.get(label)) for label in sorted(counts))


def _chance(pairs: Sequence[Pair]) -> float:
    return chance_of_worse(sum(p.broken for p in pairs), sum(p.gained for p in pairs))


def _label_score(label: str, pairs: Sequence[Pair], chance: float, adjusted: float | None) -> LabelScore:
    own = [pair for pair in pairs if pair.label == label]
    return LabelScore(
        label=label,
        n=len(own),
        live_right=sum(p.live_right for p in own),
        candidate_right=sum(p.candidate_right for p in own),
        live_called=sum(p.live == label for p in pairs),
        candidate_called=sum(p.candidate == label for p in pairs),
        broken=sum(p.broken for p in own),
        gained=sum(p.gained for p in own),
        chance_of_worse=chance,
        adjusted=adjusted,
    )


def flips(pairs: Iterable[Pair]) -> tuple[Flip, ...]:
    return tuple(Flip(pair.id, pair.label, pair.live, pair.candidate) for pair in pairs)
