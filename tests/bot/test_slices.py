"""Weak slices in words, and what helps."""

from collections.abc import Mapping
from types import MappingProxyType

import pytest

from bot.slack.views.mrkdwn import MRKDWN
from bot.wording.format import PLAIN
from bot.wording.slices import remedy, slice_lines, slice_name
from core.quality.slices import LENGTHS, Look, WeakSlice
from core.vocabulary import ErrorReason, SliceKind

NAMES = {
    Look(SliceKind.FIELD, "fax", "channel"): "channel = “fax”",
    Look(SliceKind.LABEL, "refund"): "predicted “refund”",
    Look(SliceKind.PAIR, "refund", other="billing"): "predicted “refund”, with “billing” second",
    Look(SliceKind.LENGTH, "0"): "texts of 1 to 3 words",
    Look(SliceKind.LENGTH, "9"): "texts of 9 to 20 words",
    Look(SliceKind.LENGTH, str(LENGTHS[-1])): "texts of 61 words or more",
    Look(SliceKind.STRANGE_WORDS): "texts of mostly unfamiliar words",
    Look(SliceKind.TERM, "parcel"): "texts with “parcel”",
}


FAX = Look(SliceKind.FIELD, "fax", "channel")


def weak(look: Look = FAX, whys: Mapping[str, int] = MappingProxyType({})) -> WeakSlice:
    return WeakSlice(look, 60, 41, 0.3, 0.001, (9, 4), whys)


@pytest.mark.parametrize("look", list(NAMES))
def test_each_slice_has_a_name(look: Look) -> None:
    assert slice_name(look, PLAIN) == NAMES[look]
    assert {each.kind for each in NAMES} == set(SliceKind)


def test_a_line_says_how_often_against_what_where_and_what_next() -> None:
    [line] = slice_lines([weak(whys={"ambiguous": 9, "other": 2})], 500, PLAIN)
    assert line == (
        "channel = “fax”: 41 of 60 settled answers wrong (68%), elsewhere 30%. Items 9, 4. "
        "Next: rewrite the guideline for these cases."
    )


def test_nothing_found_says_in_how_many_rows() -> None:
    assert "No weak slices: among 12 settled answers" in slice_lines([], 12, PLAIN)[0]


@pytest.mark.parametrize("reason", list(ErrorReason))
def test_each_reason_has_a_remedy(reason: ErrorReason) -> None:
    assert remedy(weak(whys={reason: 3}))


def test_without_reasons_people_are_asked_for_them() -> None:
    assert "ask for reasons" in remedy(weak())
    assert "ask for reasons" in remedy(weak(whys={"newer_reason": 3}))


def test_what_strangers_wrote_has_no_effect_inside_a_line() -> None:
    look = Look(SliceKind.FIELD, "<!channel> *x*", "<!here>")
    assert "<!" not in slice_lines([weak(look)], 9, MRKDWN)[0]
