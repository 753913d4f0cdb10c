"""The daily test for drift, as plain numbers: what it sees, and what leaves it quiet."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from core.quality.drift import BINS, DayCounts, Drift, low_bins, p_more, signs_of_drift, spread_of
from core.vocabulary import DriftSign

LEVEL, LEARN = 0.01, 14
SURE = (0,) * (BINS - 5) + (20,) * 5


def day(number: int, **changed: object) -> DayCounts:
    usual = DayCounts(number % 7, 100, "v1", 1, {"refund": 20, "billing": 20}, {"refund": 3, "billing": 2}, SURE)
    return replace(usual, **changed)  # type: ignore[arg-type]


def quiet(days: int, **changed: object) -> list[DayCounts]:
    return [day(number, **changed) for number in range(days)]


def signs(days: Sequence[DayCounts], **more: object) -> list[Drift]:
    return signs_of_drift(days, LEVEL, LEARN, **more)  # type: ignore[arg-type]


def test_without_spread_it_is_the_binomial_test() -> None:
    assert float(p_more(7, 2.0, 9, 10.0, 1.0)) == pytest.approx(binom.sf(6, 16, 2 / 12))
    assert float(p_more(0, 2.0, 9, 10.0, 1.0)) == 1.0
    assert p_more(np.array([0.0, 3.0]), np.array([0.0, 1.0]), np.zeros(2), np.zeros(2), 1.0).max() == 1.0


def test_days_that_vary_more_make_it_more_cautious() -> None:
    assert p_more(12, 1.0, 40, 10.0, 2.0) > p_more(12, 1.0, 40, 10.0, 1.0)


def test_the_spread_is_never_below_that_of_chance_alone() -> None:
    assert spread_of(np.full(9, 4.0), np.full(9, 4.0), 1) == 1.0
    assert spread_of(np.array([0.0, 8.0]), np.full(2, 4.0), 1) == pytest.approx(8.0)
    assert spread_of(np.array([4.0]), np.array([4.0]), 1) == 1.0
    counts, means = np.tile([1.0, 7.0], 7), np.full(14, 4.0)
    assert spread_of(counts, means, 1, 0.25) > spread_of(counts, means, 1)


def test_days_that_are_alike_are_quiet() -> None:
    assert signs(quiet(60)) == []


@pytest.mark.parametrize(
    ("sign", "changed"),
    [
        (DriftSign.NONE_OF_THESE, {"none_of_these": 9}),
        (DriftSign.CORRECTIONS, {"wrong": {"refund": 19, "billing": 2}}),
        (DriftSign.CONFIDENCE, {"confidences": (60, *SURE[1:])}),
        (DriftSign.VOLUME, {"rows": 0, "confidences": (0,) * BINS, "none_of_these": 0, "settled": {}, "wrong": {}}),
        (DriftSign.VOLUME, {"rows": 300, "none_of_these": 3}),
    ],
)
def test_each_reading_is_seen_when_it_alone_changes(sign: DriftSign, changed: dict[str, object]) -> None:
    found = signs([*quiet(30), day(30, **changed)])
    assert [drift.sign for drift in found] == [sign]
    assert found[0].days == 1
    assert found[0].label == ("refund" if sign is DriftSign.CORRECTIONS else None)


def test_a_small_change_is_seen_in_a_longer_window() -> None:
    days = quiet(30)
    assert signs([*days, day(30, none_of_these=4)]) == []
    [found] = signs([*days, *(day(30 + number, none_of_these=4) for number in range(7))])
    assert (found.sign, found.days, found.observed) == (DriftSign.NONE_OF_THESE, 7, 28)
    assert found.expected == pytest.approx(7.0)


def test_a_weekend_is_compared_with_weekends() -> None:
    week = [day(number, rows=20 if number % 7 > 4 else 100, none_of_these=0) for number in range(35)]
    assert signs(week[:34]) == []
    assert [drift.sign for drift in signs([*week[:33], day(33, none_of_these=0)])] == [DriftSign.VOLUME]


def test_a_queue_without_traffic_on_weekends_is_quiet() -> None:
    empty: dict[str, object] = {
        "rows": 0,
        "model": None,
        "none_of_these": 0,
        "settled": {},
        "wrong": {},
        "confidences": (0,) * BINS,
    }
    week = [day(number, **empty) if number % 7 > 4 else day(number) for number in range(63)]
    assert all(signs(week[:last]) == [] for last in range(1, 63))


def test_a_new_model_is_learned_from_before_its_readings_count() -> None:
    """None-of-these does not depend on the model, so it is compared with the days of the former one."""
    unsure = {"model": "v2", "confidences": (40, *SURE[1:])}
    since = [day(30 + number, **unsure) for number in range(14)]
    assert signs([*quiet(30), *since[:1]]) == signs([*quiet(30), *since]) == []
    later = [*quiet(30), *since, *(day(44 + number, **unsure) for number in range(6))]
    assert signs([*later, day(50, **unsure | {"confidences": (99, *SURE[1:])})])[0].sign is DriftSign.CONFIDENCE
    early = [*quiet(30), *since[:3], day(33, **unsure, none_of_these=12)]
    assert [drift.sign for drift in signs(early)] == [DriftSign.NONE_OF_THESE]


def test_after_an_alarm_a_sign_learns_the_new_state() -> None:
    """quiet: so many days lie since; the others go on."""
    changed = [*quiet(30), *(day(30 + number, none_of_these=9) for number in range(20))]
    assert [drift.sign for drift in signs(changed[:40])] == [DriftSign.NONE_OF_THESE]
    assert all(signs(changed[: 31 + since], quiet={DriftSign.NONE_OF_THESE: since}) == [] for since in range(20))


def test_a_new_queue_is_quiet_until_it_has_learned() -> None:
    assert signs([]) == signs([day(0, none_of_these=50)]) == []
    assert signs([*quiet(13), day(13, none_of_these=50)]) == []
    assert signs([*quiet(14), day(14, none_of_these=50)]) != []
    few = [day(number) if number % 7 == 0 else day(number, rows=0) for number in range(21)]
    assert signs([*few, day(21, none_of_these=50)]) == []


def test_a_model_that_is_always_sure_and_one_label_raise_no_alarm() -> None:
    sure = {"confidences": (*(0,) * (BINS - 1), 100), "settled": {"refund": 5}, "wrong": {}, "none_of_these": 0}
    assert low_bins(quiet(3, **sure)) == BINS
    assert signs(quiet(40, **sure)) == []
    assert low_bins(quiet(3, confidences=(0,) * BINS)) == 0


def test_a_thousand_labels_take_a_moment() -> None:
    rng = np.random.default_rng(1)
    names = [f"label {number}" for number in range(1000)]
    days = [
        day(number, settled=dict.fromkeys(names, 3), wrong=dict(zip(names, rng.binomial(3, 0.2, 1000), strict=True)))
        for number in range(60)
    ]
    assert signs(days) == []
