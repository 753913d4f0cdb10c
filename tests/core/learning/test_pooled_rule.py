"""How often the pooled rule refuses candidates whose truth is known: equal, better or worse by 1, 3 and 6 points.

Outcomes are paired: of each example the live model or the candidate alone may be right. Flips are drawn independently;
docs/methods.md says what was measured on real models. Seeds are fixed, and a test fails only beyond the 99 % quantile
of the promised rate.
"""

from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from core.learning.evaluation.compare import Predicted, compare
from core.learning.evaluation.gate import gate
from core.learning.evaluation.paired_tests import mcnemar_p_value
from core.learning.evaluation.scorecard import PooledScore, Scorecard
from core.policy import PromotionPolicy
from tests.people import support_policy

POLICY = PromotionPolicy()
TIMES = 300
CHURN = 0.03  # random examples of 100 that flip each way between two equal refits
Counts = NDArray[np.int64]

# random examples, eligible past errors, share of the past errors that flips each way
GOLDEN_SETS = [(n, past, flips) for n, past in product((100, 230), (100, 200)) for flips in (0.03, 0.10)]
GOLDEN_SETS += [(100, 0, 0.0), (230, 0, 0.0)]
EMPTY = compare([], Predicted(()), Predicted(()), support_policy().queues[0])
p_value = cache(mcnemar_p_value)


def flips(n: int, churn: float, gain: float, rng: np.random.Generator) -> tuple[Counts, Counts]:
    """Regressions and improvements among n examples, `TIMES` times. gain: true difference of the shares right."""
    down, up = churn + max(-gain, 0), churn + max(gain, 0)
    drawn = rng.multinomial(n, [down, up, 1 - down - up], size=TIMES)
    return drawn[:, 0], drawn[:, 1]


def refusals(random: int, past: int, churn: float, gain: float) -> int:
    """Of `TIMES` candidates, as the gate judges them."""
    rng = np.random.default_rng([random, past, round(churn * 100), round(abs(gain) * 100), gain < 0])
    down, up = flips(random, CHURN, gain, rng)
    past_down, past_up = flips(past, churn, gain, rng)
    drawn = np.stack([down, up, down + past_down, up + past_up], axis=1)
    return sum(not gate(scorecard(random, past, *map(int, one)), POLICY).passed for one in drawn)


def scorecard(random: int, past: int, down: int, up: int, all_down: int, all_up: int) -> Scorecard:
    """With what the two tests are about, and nothing else."""
    alone = replace(EMPTY.random, n=random, regressions=down, improvements=up, p_value=p_value(down, up))
    p_pooled = p_value(all_down, all_up)
    pooled = PooledScore(random + past, past, 0, 0, all_down, all_up, p_pooled)
    return replace(EMPTY, random=alone, pooled=pooled)


def at_most(share: float) -> float:
    """The 99 % quantile of the number of refusals at this rate."""
    return float(binom.ppf(0.99, TIMES, share))


@pytest.mark.parametrize(("random", "past", "churn"), GOLDEN_SETS)
def test_of_equal_candidates_no_more_are_refused_than_promised(random: int, past: int, churn: float) -> None:
    assert refusals(random, past, churn, 0.0) <= at_most(POLICY.pooled_alpha)


@pytest.mark.parametrize(("random", "past", "churn"), GOLDEN_SETS)
def test_better_candidates_are_seldom_refused(random: int, past: int, churn: float) -> None:
    """By the exact sums, with 100 random examples alone: .08, .02 and .002."""
    for gain, share in ((0.01, 0.10), (0.03, 0.02), (0.06, 0.003)):
        assert refusals(random, past, churn, gain) <= at_most(share), gain


@pytest.mark.parametrize(
    ("random", "past", "churn", "caught"),
    [
        (100, 0, 0.03, (0.20, 0.43, 0.75)),
        (100, 100, 0.03, (0.28, 0.63, 0.93)),
        (100, 100, 0.10, (0.26, 0.54, 0.86)),
        (100, 200, 0.10, (0.29, 0.61, 0.92)),
        (230, 0, 0.03, (0.29, 0.68, 0.94)),
        (230, 100, 0.10, (0.33, 0.72, 0.97)),
        (230, 200, 0.03, (0.40, 0.86, 0.99)),
    ],
)
def test_worse_candidates_are_refused_as_often_as_the_methods_page_says(
    random: int, past: int, churn: float, caught: tuple[float, ...]
) -> None:
    for fall, share in zip((0.01, 0.03, 0.06), caught, strict=True):
        assert refusals(random, past, churn, -fall) >= binom.ppf(0.01, TIMES, share), fall


def test_past_errors_help_to_see_a_fall_of_three_points() -> None:
    assert refusals(100, 200, 0.03, -0.03) > 1.5 * refusals(100, 0, 0.03, -0.03)
