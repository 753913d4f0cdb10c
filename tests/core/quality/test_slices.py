"""Weak slices as plain numbers: what is looked at, what is found, and what is not claimed."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from benchmarks.slices import claims
from core.quality.slices import (
    KnownRow,
    Look,
    familiar_words,
    holm,
    is_inside,
    looks_of,
    more_often,
    slice_p_value,
    weak_slices,
    whys_by_label,
)
from core.vocabulary import SliceKind

ROW = KnownRow(1, "please send the money back", {}, "refund", "billing", wrong=False, reviewed=True)


def rows(n: int, wrong_every: int = 10, **changed: object) -> list[KnownRow]:
    """Rows of which each tenth is wrong; half of them reviewed."""
    return [
        replace(ROW, item_id=number, wrong=number % wrong_every == 0, reviewed=number % 2 == 0, **changed)  # type: ignore[arg-type]
        for number in range(n)
    ]


def names(found: Sequence[Look]) -> set[tuple[SliceKind, str]]:
    return {(look.kind, look.value) for look in found}


@given(st.integers(0, 8), st.integers(0, 12), st.integers(0, 9), st.integers(0, 30))
def test_it_is_fishers_exact_test(wrong_inside: int, right_inside: int, wrong_outside: int, right_outside: int) -> None:
    inside, wrong = wrong_inside + right_inside, wrong_inside + wrong_outside
    total = inside + wrong_outside + right_outside
    table = [[wrong_inside, right_inside], [wrong_outside, right_outside]]
    expected = fisher_exact(table, alternative="greater").pvalue
    assert more_often(wrong_inside, inside, wrong, total) == pytest.approx(expected)


def test_holm_multiplies_by_the_tests_that_are_left() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert (holm([]), holm([0.6, 0.9])) == ([], [1.0, 1.0])


def test_the_two_samples_are_tested_apart() -> None:
    """A slice that is flagged more often has more errors, but not more in either sample."""
    reviewed = np.array([True] * 100 + [False] * 100)
    wrong = np.array([True, False] * 50 + ([True] + [False] * 9) * 10)
    inside = np.arange(0, 80)
    assert slice_p_value(wrong, reviewed, inside) > 0.2
    assert more_often(int(wrong[:80].sum()), 80, int(wrong.sum()), 200) < 0.001, "without the samples"


def test_slices_are_looked_at_by_field_label_pair_length_and_term() -> None:
    some = rows(40, fields={"channel": "fax", "ticket": "1"}) + rows(40, text="hi", label="billing", second=None)
    found = names(list(looks_of(some)))
    assert {
        (SliceKind.FIELD, "fax"), (SliceKind.LABEL, "refund"), (SliceKind.LABEL, "billing"), (SliceKind.PAIR, "refund"),
        (SliceKind.LENGTH, "0"), (SliceKind.LENGTH, "4"), (SliceKind.TERM, "money"),
    } <= found  # fmt: skip


def test_common_words_that_tell_nothing_of_the_label_are_not_looked_at() -> None:
    some = [
        *rows(45, text="what about the refund"),
        *rows(45, text="what about the parcel", label="delivery"),
        *rows(20, text="refund"),
        *rows(20, text="parcel", label="delivery"),
    ]
    assert {value for kind, value in names(list(looks_of(some))) if kind is SliceKind.TERM} == {"refund", "parcel"}


def test_a_word_that_tells_nothing_of_the_label_is_looked_at_while_it_is_rare() -> None:
    named = [replace(row, text="my phone7", label=f"label {row.item_id % 5}") for row in rows(40)]
    others = [replace(row, text=f"word{row.item_id}", label=f"label {row.item_id % 5}") for row in rows(1500)]
    assert (SliceKind.TERM, "phone7") in names(list(looks_of(named + others)))
    assert (SliceKind.TERM, "phone7") not in names(list(looks_of(named + others[:1000])))


def test_a_field_whose_values_never_repeat_and_small_slices_are_not_looked_at() -> None:
    some = [replace(row, fields={"ticket": str(row.item_id)}) for row in rows(60)] + rows(29, label="rare")
    found = names(list(looks_of(some)))
    assert not [look for look in found if look[0] is SliceKind.FIELD]
    assert (SliceKind.LABEL, "rare") not in found


def test_texts_of_unfamiliar_words_are_a_slice() -> None:
    foreign = [replace(row, text=f"wort{row.item_id} ding{row.item_id} please") for row in rows(40)]
    found = looks_of(rows(60) + foreign)
    assert list(found[Look(SliceKind.STRANGE_WORDS)]) == list(range(60, 100))


def test_a_weak_slice_comes_with_its_items_its_whys_and_the_rest_as_a_measure() -> None:
    weak = [
        replace(row, item_id=1000 + row.item_id, fields={"channel": "fax"}, wrong=row.item_id % 3 > 0, why="ambiguous")
        for row in rows(90)
    ]
    found = {one.look: one for one in weak_slices(rows(400) + weak)}
    fax = found[Look(SliceKind.FIELD, "fax", "channel")]
    assert (fax.rows, fax.wrong, fax.whys) == (90, 60, {"ambiguous": 60})
    assert fax.others == pytest.approx(0.1)
    assert fax.items[0] == 1089
    assert len(fax.items) == 8
    assert fax.p_value < 1e-6


def test_a_slice_that_is_no_worse_on_the_whole_is_not_named() -> None:
    """All five audited rows of faxes are wrong, and none of the hundred flagged ones; elsewhere it is one in ten."""
    fax = {"fields": {"channel": "fax"}}
    flagged = [replace(row, reviewed=True) for row in rows(100, wrong_every=1000, **fax)]
    audited = [replace(row, reviewed=False) for row in rows(5, wrong_every=1, **fax)]
    others = [*rows(200), *(replace(row, reviewed=False) for row in rows(800, wrong_every=50))]
    inside = np.arange(105)
    some = [*flagged, *audited, *others]
    wrong, reviewed = np.array([row.wrong for row in some]), np.array([row.reviewed for row in some])
    assert slice_p_value(wrong, reviewed, inside) < 1e-4
    assert weak_slices(some) == []


def test_without_rows_without_errors_and_with_one_label_nothing_is_claimed() -> None:
    assert weak_slices([]) == weak_slices(rows(200, wrong_every=1000)) == []
    assert weak_slices(rows(300)) == weak_slices(rows(300, wrong_every=1)) == []


@pytest.mark.slow
def test_on_clean_data_at_most_five_percent_of_the_searches_claim_anything() -> None:
    """Fails above 11 of 100, which a true 5 % does in 0.4 % of all cases."""
    assert sum(claims(seed, None) for seed in range(100)) <= 11


@pytest.mark.slow
@pytest.mark.parametrize(("support", "share"), [(350, 0.95), (180, 0.7)])
def test_thirty_points_more_errors_are_found(support: int, share: float) -> None:
    assert np.mean([claims(seed, support) for seed in range(40)]) >= share


def test_a_row_is_in_a_slice_by_the_same_rule_as_when_it_was_found() -> None:
    some = [
        *rows(40, fields={"channel": "fax"}),
        *rows(40, text="hi", label="billing", second=None),
        *(replace(row, text=f"odd{n} strange{n} money") for n, row in enumerate(rows(40))),
    ]
    found, familiar = looks_of(some), set(familiar_words(some))
    assert {look.kind for look in found} == set(SliceKind)
    for look, places in found.items():
        inside = [place for place, row in enumerate(some) if is_inside(look, row, familiar)]
        assert inside == places.tolist(), look


def test_no_word_can_be_read_from_those_that_are_familiar() -> None:
    assert all(isinstance(one, int) for one in familiar_words(rows(3)))
    assert familiar_words(rows(2)) == []


def test_reasons_are_counted_by_label_and_only_of_wrong_answers() -> None:
    some = [
        replace(ROW, wrong=True, why="ambiguous"),
        replace(ROW, wrong=True, why="ambiguous"),
        replace(ROW, wrong=True, why="other"),
        replace(ROW, wrong=False, why="other"),
        replace(ROW, wrong=True, label="billing", why="new_class"),
        replace(ROW, wrong=True, label="delivery"),
    ]
    assert whys_by_label(some) == {"refund": {"ambiguous": 2, "other": 1}, "billing": {"new_class": 1}}


def test_a_slice_names_the_label_that_people_settle_instead() -> None:
    weak = [replace(row, settled="delivery") for row in rows(60, wrong_every=1, fields={"channel": "fax"})]
    [first, *_others] = weak_slices([*weak, *rows(200)])
    assert first.missed == "delivery"
