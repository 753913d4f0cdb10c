"""The canary's rule: which model answers a request, which settled items are compared, and when the new model is worse.

An item is reviewed because the model that answered was unsure. If one model answers most requests, most items are
selected by *its* uncertainty, and it looks worse than it is. So two groups of equal share are compared, both chosen by
the hash of the external id: the ids that the new model answers, and equally many of those that the former model
answers. Measurements are in docs/methods.md."""

from dataclasses import dataclass

from core.learning.evaluation.paired_tests import mcnemar_p_value
from core.text.content_hash import unit_interval
from core.vocabulary import CanaryVerdict

MINIMUM = 30  # settled items of both groups; with fewer, a look shows nothing
LARGEST_SHARE = 0.5  # with a larger one, the two groups could not have equal shares


@dataclass(frozen=True)
class Paired:
    """Settled items that both models answered. regressions: the former model is right and the new one wrong;
    improvements: the reverse."""

    n: int
    regressions: int
    improvements: int

    @property
    def p_value(self) -> float:
        """The probability that two equally good models differ by this much or more against the new one."""
        return mcnemar_p_value(self.regressions, self.improvements)


def is_answered_by_new(external_id: str, model_id: int, share: float) -> bool:
    """Whether the new model answers this external id: it answers a share of them, always the same ones during its
    canary."""
    return _place(external_id, model_id) < share


def is_compared(external_id: str, model_id: int, share: float) -> bool:
    """Whether the id is in one of the two groups that are compared. share: at most `LARGEST_SHARE`."""
    place = _place(external_id, model_id)
    return place < share or place >= 1 - share


def judge(paired: Paired, alpha: float, looks: int) -> CanaryVerdict:
    """The verdict of one planned look. alpha: for all looks together; it is split evenly (Bonferroni), so that an
    equally good model is found worse in at most `alpha` of canaries, however many of the looks are taken."""
    if paired.n < MINIMUM:
        return CanaryVerdict.NOT_YET
    return CanaryVerdict.WORSE if paired.p_value <= alpha / looks else CanaryVerdict.NOT_WORSE


def _place(external_id: str, model_id: int) -> float:
    return unit_interval(external_id, f"canary {model_id}")
