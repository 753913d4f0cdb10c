"""Agreement of votes with the settled label, with and without the suggestion in sight."""

import random

import numpy as np
import pytest

from core.review.anchoring import FEWEST_ITEMS, Agreement, JudgedVote, anchoring


def votes(items: int, agreeing: int, guided: bool = True, each: int = 1, first: int = 0) -> list[JudgedVote]:
    """`each` votes on every item, all alike; on the first `agreeing` items they agree."""
    return [
        JudgedVote(first + item, guided, item < agreeing) for item in range(items) for _ in range(each)
    ]  # fmt: skip


def of(found: list[JudgedVote], seed: int = 0) -> tuple[Agreement, Agreement]:
    result = anchoring(found, np.random.default_rng(seed))
    return result.guided, result.blind


def test_the_share_of_votes_that_agree_has_an_interval_around_it() -> None:
    guided, blind = of(votes(100, 90) + votes(50, 30, guided=False, first=100))
    assert (guided.items, blind.items) == (100, 50)
    assert guided.share is not None
    assert guided.share.estimate == pytest.approx(0.9)
    assert guided.share.low == pytest.approx(0.84, abs=0.02)
    assert guided.share.high == pytest.approx(0.95, abs=0.02)
    assert blind.share is not None
    assert blind.share.low < 0.5 < 0.6 == pytest.approx(blind.share.estimate)


def test_the_votes_of_one_item_count_together() -> None:
    """Four times as many votes on the same items say nothing more."""
    (one, _), (four, _) = of(votes(100, 80)), of(votes(100, 80, each=4))
    assert one.share == four.share


def test_few_items_have_no_share_and_none_is_not_an_error() -> None:
    assert of(votes(FEWEST_ITEMS - 1, 3, each=9)) == (Agreement(FEWEST_ITEMS - 1, None), Agreement(0, None))
    assert of([]) == (Agreement(0, None), Agreement(0, None))


def test_the_order_of_the_votes_does_not_matter() -> None:
    found = votes(60, 40, each=2) + votes(40, 20, guided=False, first=60)
    assert of(random.Random(1).sample(found, len(found))) == of(found)


@pytest.mark.slow
def test_the_interval_covers_the_truth_in_most_samples() -> None:
    """Votes of an item agree or disagree together half of the time."""
    covered = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        easy, found = rng.random(100) < 0.5, []
        for item in range(100):
            chances = [1.0, 1.0, 1.0] if easy[item] else rng.random(3) < 0.6
            found += [JudgedVote(item, True, bool(agrees)) for agrees in chances]
        share = of(found, seed)[0].share
        covered += share is not None and share.low <= 0.8 <= share.high
    assert covered >= 182  # of 200; at a true coverage of .95 fewer happen once in a hundred
