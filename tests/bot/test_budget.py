"""Rate limits: Goldloop never calls Slack more often than it allows."""

import itertools
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.runtime.rate_limits import BURST, UPDATES_PER_MINUTE, Budget


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def greedy(may: Callable[[Budget], bool], steps: list[float]) -> list[float]:
    """When updates happened if one is sent whenever it may be, looking after each of these pauses."""
    clock = Clock()
    budget, sent = Budget(clock), []
    for pause in steps:
        clock.now += pause
        while may(budget):
            budget.spend_update()
            sent.append(clock.now)
    return sent


def most_in_a_minute(times: list[float]) -> int:
    return max((sum(start <= time < start + 60 for time in times) for start in times), default=0)


@given(st.lists(st.floats(0, 90), max_size=60))
def test_no_minute_has_more_updates_than_slack_allows(steps: list[float]) -> None:
    assert most_in_a_minute(greedy(Budget.may_update, steps)) <= UPDATES_PER_MINUTE


@pytest.mark.slow
def test_an_hour_of_looking_four_times_a_second_uses_what_there_is_and_no_more() -> None:
    sent = greedy(Budget.may_update, [0.25] * 4 * 3600)
    assert most_in_a_minute(sent) <= UPDATES_PER_MINUTE
    assert len(sent) == pytest.approx(3600 * (UPDATES_PER_MINUTE - BURST) / 60 + BURST, abs=1)


def test_redraws_of_open_cards_leave_half_of_the_burst_for_settled_ones() -> None:
    clock = Clock()
    budget, chance = Budget(clock), random.Random(5)
    for _look in range(500):
        clock.now += chance.uniform(6, 20)
        while budget.may_update_open():
            budget.spend_update()
        settled = 0
        while budget.may_update():
            budget.spend_update()
            settled += 1
        assert settled >= BURST // 2


def test_both_kinds_of_update_share_one_budget() -> None:
    sent = greedy(lambda budget: budget.may_update_open() or budget.may_update(), [0.25] * 4 * 300)
    assert most_in_a_minute(sent) <= UPDATES_PER_MINUTE


def test_a_channel_gets_one_post_a_second_and_others_do_not_wait_for_it() -> None:
    clock = Clock()
    budget, posts = Budget(clock), []
    for _look in range(400):
        clock.now += 0.1
        if "C1" not in budget.full_channels():
            budget.spend_post("C1")
            posts.append(clock.now)
        assert "C2" not in budget.full_channels()
    assert min(later - earlier for earlier, later in itertools.pairwise(posts)) >= 1
    assert len(posts) >= 35


@pytest.mark.parametrize("seconds", [1.0, 7.5, 30.0, 600.0])
def test_after_a_refusal_nothing_is_said_before_slack_said(seconds: float) -> None:
    clock = Clock()
    budget = Budget(clock)
    budget.refused_update(seconds)
    budget.refused_post("C1", seconds)
    clock.now += seconds - 0.01
    assert not budget.may_update()
    assert budget.full_channels() == ["C1"]
    clock.now += 0.02
    assert budget.may_update()
    assert budget.full_channels() == []


def test_a_refusal_never_shortens_a_longer_wait() -> None:
    clock = Clock()
    budget = Budget(clock)
    budget.refused_update(60)
    budget.refused_update(1)
    clock.now += 30
    assert not budget.may_update()
