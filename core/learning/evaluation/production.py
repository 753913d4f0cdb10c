"""An estimate of a model's accuracy in production, from settled items. All predictions that a rule flags are reviewed;
of the others, only the audit's random sample. Neither sample represents all traffic, so each stratum is estimated by
itself and weighted by its share of the rows.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from core.learning.evaluation.intervals import Interval, jeffreys

FEWEST_AUDITS = 30  # with fewer, an interval is too wide to be of use
WIDEST = 0.2  # the largest width of a label's interval that is still shown


@dataclass(frozen=True)
class Stratum:
    """Rows that were sent to people with the same probability. settled: the number of settled rows; right: those
    settled with the model's label. reviewed: a rule sent all rows to people, so the settled ones are known exactly;
    otherwise they are a random sample of the rows, drawn by the audit. right <= settled <= rows."""

    rows: int
    settled: int
    right: int
    reviewed: bool


def share_right(strata: Iterable[Stratum], level: float = 0.95) -> Interval:
    """The share of all rows on which people settle the model's label, in [0, 1]. Without rows: 0 to 1 around 0.5.

    In a reviewed stratum, only the rows that are not settled are uncertain; they are assumed to be right as often as
    the settled ones. Each uncertain share has a Jeffreys interval, and the intervals are combined as in Zou and Donner
    (2008), Statistics in Medicine 27, 1693-1702 (MOVER). Strata are independent, in any order."""
    parts = [part for part in strata if part.rows]
    total = sum(part.rows for part in parts)
    if not total:
        return Interval(0.5, 0.0, 1.0)
    estimate, below, above = 0.0, 0.0, 0.0
    for part in parts:
        known, unknown = (part.right, part.rows - part.settled) if part.reviewed else (0, part.rows)
        share, weight = jeffreys(part.right, part.settled, level), unknown / total
        estimate += known / total + weight * share.estimate
        below += (weight * (share.estimate - share.low)) ** 2
        above += (weight * (share.high - share.estimate)) ** 2
    return Interval(estimate, max(0.0, estimate - math.sqrt(below)), min(1.0, estimate + math.sqrt(above)))
