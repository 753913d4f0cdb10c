"""The promise: an upper bound on the share of all answers that are wrong and unseen, and the loosest cut that keeps it.

Rows form strata by their course on the day on which they came: accepted rows, of which the audited ones are the sample;
reviewed rows; and, after a promotion, rows that a rule sent to people under a former model. The present model may have
learned from the last, so their sample is only the rows that were held back from training.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

AGE = timedelta(days=3)  # the age at which a row begins to count, so that people have had time to settle it
WINDOW = timedelta(days=60)  # the time in which rows count
LOOSER = 1.5  # the cut is loosened again only with this many times as many audits as at the last time
ALWAYS_UNSEEN = -1.0  # a score below every cut
REVIEW_NONE = 2.0  # a cut that no score reaches
TAILS = (0.7, 0.3)  # shares of the error for accepted and reviewed rows
TAILS_CARRIED = (0.6, 0.2, 0.2)  # the same for accepted, reviewed, and reviewed under a former model


@dataclass(frozen=True)
class SampledStratum:
    """A stratum: rows with the same course, old enough to count, and a random sample of them. sampled: size of the
    sample, settled or not. wrong: scores, in [0, 1], of the rows in the sample that the present model gets wrong or
    that are not settled; `ALWAYS_UNSEEN` for a row that lapsed. len(wrong) <= sampled <= rows."""

    rows: int
    sampled: int
    wrong: Sequence[float]


@dataclass(frozen=True)
class Strata:
    """The strata of a queue. former: has no rows if there was no promotion in the window."""

    accepted: SampledStratum
    reviewed: SampledStratum
    former: SampledStratum = SampledStratum(0, 0, ())

    @property
    def audits(self) -> int:
        return self.accepted.sampled

    def parts(self, error: float) -> list[tuple[SampledStratum, float]]:
        """The strata that have rows, each with its part of the error."""
        shares = TAILS_CARRIED if self.former.rows else TAILS
        each = (self.accepted, self.reviewed, self.former)[: len(shares)]
        return [(part, share * error) for part, share in zip(each, shares, strict=True) if part.rows]


@dataclass(frozen=True)
class Kept:
    """The state of a promise. cut: the loosest cut with which it may be kept; None: it was never made. audits: number
    of audits when the cut was last loosened. said: whether the promise is made today."""

    cut: float | None = None
    audits: int = 0
    said: bool = False


def upper_bound(strata: Strata, cut: float, error: float) -> float:
    """An upper bound on the share of all rows that are wrong and unseen if scores from `cut` on are reviewed, in [0,
    1]. It is too low with a probability of at most `error`. Without rows: 1.

    It is the sum, over the strata, of their share of the rows times the bound of Clopper and Pearson (1934), Biometrika
    26, 404-413. The strata share the error (Bonferroni)."""
    parts = strata.parts(error)
    total = sum(part.rows for part, _tail in parts)
    if not total:
        return 1.0
    return sum(
        part.rows / total * clopper_pearson(sum(score < cut for score in part.wrong), part.sampled, tail)
        for part, tail in parts
    )


def clopper_pearson(events: int, n: int, error: float) -> float:
    """The one-sided upper bound of a share, in [0, 1]. Without a sample (n = 0): 1."""
    from scipy.special import betaincinv  # loads scipy, which few callers need

    return float(betaincinv(events + 1, n - events, 1 - error)) if events < n else 1.0


def loosest_cut(strata: Strata, promised: float, error: float) -> float | None:
    """The loosest cut with which the promise holds. Cuts are tried from the strictest on, and the last one before the
    first failure is taken. None: the promise fails even with the strictest cut. promised: a share in (0, 1)."""
    if upper_bound(strata, 0.0, error) > promised:
        return None
    steps = sorted({score for part, _tail in strata.parts(error) for score in part.wrong if score >= 0})
    cut = 0.0
    for score in steps:
        if upper_bound(strata, score, error) > promised:
            return cut
        cut = score
    return REVIEW_NONE if upper_bound(strata, REVIEW_NONE, error) <= promised else cut


def kept_cut(former: Kept, found: float | None, audits: int) -> Kept:
    """The cut from today on. It can become stricter on any day, but looser only when there are half as many audits
    again as at the last time: with a chance every day, luck would loosen it. found: the result of `loosest_cut`; None:
    the promise cannot be made today."""
    if found is None:
        return Kept(former.cut, former.audits, said=False)
    if former.cut is not None and found <= former.cut:
        return Kept(found, former.audits, said=True)
    if former.cut is None or audits >= LOOSER * former.audits:
        return Kept(found, audits, said=True)
    return Kept(former.cut, former.audits, said=True)


def audits_needed(accepted: float, promised: float, error: float) -> int:
    """The number of audits that a promise needs if none finds a wrong answer. accepted: share of the rows that are
    accepted, in (0, 1]."""
    import math

    share = promised / accepted
    return math.ceil(math.log(TAILS[0] * error) / math.log1p(-share)) if share < 1 else 1


def best_promise(strata: Strata, cut: float, error: float) -> float:
    """The share that can be promised with this cut: its upper bound."""
    return upper_bound(strata, cut, error)
