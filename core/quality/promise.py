"""The promise: an upper bound on the share of all answers that are wrong and unseen, and the loosest cut that keeps it.

Rows are in strata by what happened on their own day: accepted ones, which only the audit's lot stands for, reviewed
ones, and, after a promotion, those that a rule sent to people under a former model. Of the latter the present model may
have learned, so only the lot of them that was held back from training stands for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

LOOSER = 1.5  # times the audits of the last time, before a cut may be loosened again
ALWAYS_UNSEEN = -1.0  # a score below every cut
REVIEW_NONE = 2.0  # a cut that no score reaches
TAILS = (0.7, 0.3)  # of the error: accepted, reviewed
TAILS_CARRIED = (0.6, 0.2, 0.2)  # accepted, reviewed, reviewed under a former model


@dataclass(frozen=True)
class SampledStratum:
    """Rows that went the same way, old enough to count, and what is known of a random sample of them. sampled: in it,
    settled or not; wrong: the present model's scores, in [0, 1], of those among them that it gets wrong or
    that are not settled; a row that lapsed has `ALWAYS_UNSEEN`. len(wrong) <= sampled <= rows."""

    rows: int
    sampled: int
    wrong: Sequence[float]


@dataclass(frozen=True)
class Strata:
    """former: without a promotion in the window, no rows."""

    accepted: SampledStratum
    reviewed: SampledStratum
    former: SampledStratum = SampledStratum(0, 0, ())

    @property
    def audits(self) -> int:
        return self.accepted.sampled

    def parts(self, error: float) -> list[tuple[SampledStratum, float]]:
        """Each with its part of the error of the bound."""
        shares = TAILS_CARRIED if self.former.rows else TAILS
        each = (self.accepted, self.reviewed, self.former)[: len(shares)]
        return [(part, share * error) for part, share in zip(each, shares, strict=True) if part.rows]


@dataclass(frozen=True)
class Kept:
    """cut: the loosest that a promise may hold with; None: it was never said. audits: that it was last loosened with.
    said: whether it holds today."""

    cut: float | None = None
    audits: int = 0
    said: bool = False


def upper_bound(strata: Strata, cut: float, error: float) -> float:
    """An upper bound on the share of all rows that are wrong and unseen if scores from `cut` on are reviewed; in
    [0, 1], too low with a probability of at most `error`. Without rows: 1.

    The sum over strata of their share of the rows times the bound of Clopper and Pearson (1934), Biometrika 26,
    404-413, with the error shared between them (Bonferroni)."""
    parts = strata.parts(error)
    total = sum(part.rows for part, _tail in parts)
    if not total:
        return 1.0
    return sum(
        part.rows / total * clopper_pearson(sum(score < cut for score in part.wrong), part.sampled, tail)
        for part, tail in parts
    )


def clopper_pearson(events: int, n: int, error: float) -> float:
    """The one-sided upper bound of a share, in [0, 1]. n = 0: 1."""
    from scipy.special import betaincinv  # loads scipy, which few callers need

    return float(betaincinv(events + 1, n - events, 1 - error)) if events < n else 1.0


def loosest_cut(strata: Strata, promised: float, error: float) -> float | None:
    """The score from which on rows must be reviewed so that the promise holds: the cuts are tried from the strictest
    on, and the last one before the first failure is taken. None: it fails with the strictest. promised: a share in
    (0, 1)."""
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
    """The cut from today on. Stricter on any day; looser only once there are half as many audits more than at the last
    time, because a look a day would find a lucky one. found: of `loosest_cut`; None: it cannot be said today."""
    if found is None:
        return Kept(former.cut, former.audits, said=False)
    if former.cut is not None and found <= former.cut:
        return Kept(found, former.audits, said=True)
    if former.cut is None or audits >= LOOSER * former.audits:
        return Kept(found, audits, said=True)
    return Kept(former.cut, former.audits, said=True)


def audits_needed(accepted: float, promised: float, error: float) -> int:
    """Audits without a wrong one that a promise needs where this share of the rows is accepted, in (0, 1]."""
    import math

    share = promised / accepted
    return math.ceil(math.log(TAILS[0] * error) / math.log1p(-share)) if share < 1 else 1


def best_promise(strata: Strata, cut: float, error: float) -> float:
    """The share that can be promised with this cut: its upper bound."""
    return upper_bound(strata, cut, error)
