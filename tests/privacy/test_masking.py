"""Masking: what is found and what is not, as a table; bounded time; masking twice changes nothing."""

import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Invalid
from core.policy.file import parse_policy
from core.text.masking import PLACEHOLDERS, mask, pattern_problem

ALL = ("email", "phone", "card", "iban")

FOUND: list[tuple[str, str]] = [
    ("write to Ana.Lopez+x@mail.example.co.uk today", "write to [e-mail] today"),
    ("<a@b.com>, mailto:c@d.org", "<[e-mail]>, mailto:[e-mail]"),
    ("jörg@müller.de", "[e-mail]"),
    ("call +49 30 901820 now", "call [phone] now"),
    ("call +1 (212) 555-0123 now", "call [phone] now"),
    ("call 030 901820 now", "call [phone] now"),
    ("since 24.11.2026: 030 901820", "since 24.11.2026: [phone]"),
    ("card 4111 1111 1111 1111 exp 12/29", "card [card] exp 12/29"),
    ("order 12345 4111-1111-1111-1111", "order 12345 [card]"),
    ("amex 3782 822463 10005", "amex [card]"),
    ("5555555555554444", "[card]"),
    ("4111\u20111111\u20111111\u20111111", "[card]"),
    ("4111  1111 - 1111\n1111, thanks", "[card], thanks"),
    ("DE89 3704 0044\n  0532 0130 00", "[IBAN]"),
    ("DE89\u20113704\u20110044\u20110532\u20110130\u201100", "[IBAN]"),
    ("pay to DE89 3704 0044 0532 0130 00 thanks", "pay to [IBAN] thanks"),
    ("gb82west12345698765432.", "[IBAN]."),
    ("GB82 WEST 1234 5698 7654 32 and more text", "[IBAN] and more text"),
    ("a@b.com +49 30 901820", "[e-mail] [phone]"),
]

LEFT_ALONE = [
    "",
    "where is my parcel? it was due on 12.11.2026 at 14:30",
    "4111 1111 1111 1112",  # the check digit is wrong
    "4111    1111    1111    1111",  # a table
    "DE88 3704 0044 0532 0130 00",  # so are these
    "XX89 3704 0044 0532 0130 00",  # no country
    "user@localhost",
    "from 08.11.2026-28.11.2026, or 2026-11-08 - 2026-11-28",
    "order 20261124-0001, 3 x 19.99 EUR",
    "@channel <!here> <@U123>",
    "[e-mail] [phone] [card] [IBAN] [hidden]",
]


@pytest.mark.parametrize(("text", "masked"), FOUND)
def test_it_is_replaced_by_what_it_was(text: str, masked: str) -> None:
    assert mask(text, ALL, "DE") == masked


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_it_is_left_alone(text: str) -> None:
    assert mask(text, ALL, "DE") == text


def test_only_the_kinds_asked_for_are_replaced() -> None:
    text = "a@b.com, +49 30 901820, 4111 1111 1111 1111, DE89 3704 0044 0532 0130 00"
    assert mask(text, ("email",)) == text.replace("a@b.com", "[e-mail]")
    assert mask(text, ("card",)) == text.replace("4111 1111 1111 1111", "[card]")
    assert mask(text, ()) == text


def test_own_patterns_are_replaced_too_and_what_overlaps_is_one() -> None:
    assert mask("customer KD-4711 wrote", (), "", ["KD-[0-9]+"]) == "customer [hidden] wrote"
    assert mask("ana@kd-4711.example.org", ALL, "", ["kd-[0-9]+"]) == "[e-mail]"
    assert mask("say 4111 1111 1111 1111 again", ALL, "", ["say [0-9]+"]) == "[hidden] again"


@pytest.mark.parametrize("pattern", ["(", "(?=a)b", r"(a)\1", "a*", "", "x" * 501])
def test_a_pattern_that_cannot_be_used_is_refused(pattern: str) -> None:
    assert pattern_problem(pattern)


PIECES = st.sampled_from(
    [text for text, _masked in FOUND] + LEFT_ALONE + ["\n", "KD-1", "+", "1" * 30, "@", "DE89", " ", "\u200b", "🙂"]
)


@given(st.lists(PIECES, max_size=6).map(" ".join))
@settings(max_examples=80, deadline=None)
def test_masking_twice_changes_nothing(text: str) -> None:
    once = mask(text, ALL, "DE", ["KD-[0-9]+", r"[a-z]+@"])
    assert mask(once, ALL, "DE", ["KD-[0-9]+", r"[a-z]+@"]) == once


@given(before=st.text(" .,;:()\n", max_size=5), after=st.text(" .,;:()\n", max_size=5), number=st.integers(0, 10**9))
@settings(max_examples=60, deadline=None)
def test_an_address_is_found_whatever_stands_around_it(before: str, after: str, number: int) -> None:
    assert mask(f"{before}p{number}@mail.example.org{after}", ("email",)) == f"{before}[e-mail]{after}"


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["a", "1", "a@", "a.", "1 ", "411 ", "DE89 ", "+1-", "(1) ", "@a.a.a", "\u0660"])
def test_the_longest_text_that_is_taken_ends_soon(piece: str) -> None:
    """100,000 characters made to be hard; an expression with nested repetition would not come back at all."""
    text = (piece * 100_000)[:100_000]
    began = time.monotonic()
    mask(text, ALL, "DE", [r"(a+)+$", r"(\w+\s?)+x"])
    assert time.monotonic() - began < 20  # about half a second; the rest is for machines under load


def test_every_kind_has_a_placeholder_that_is_none_of_the_others() -> None:
    assert set(ALL) < set(PLACEHOLDERS)
    assert len(set(PLACEHOLDERS.values())) == len(PLACEHOLDERS)


QUEUE = {"channel": "C1", "leads_channel": "C2", "leads": ["U1"], "labels": ["a", "b"], "title": "T"}


@pytest.mark.parametrize(
    ("privacy", "library"),
    [
        ({"mask": ["email", "phone"]}, "phonenumbers"),
        ({"phone_region": "DE"}, "phonenumbers"),
        ({"mask": ["email", "card"]}, "stdnum"),
        ({"mask": ["iban"]}, "stdnum"),
    ],
)
def test_a_policy_that_masks_numbers_is_refused_without_the_extra(
    privacy: dict[str, object], library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse_policy({"queues": {"support": {**QUEUE, "privacy": privacy}}}, "goldloop.toml")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(Invalid, match=r"pip install 'goldloop\[masking\]'"):
        parse_policy({"queues": {"support": {**QUEUE, "privacy": privacy}}}, "goldloop.toml")
    parse_policy({"queues": {"support": {**QUEUE, "privacy": {"mask": ["email"]}}}}, "goldloop.toml")


@pytest.mark.parametrize(("kind", "library"), [("phone", "phonenumbers"), ("card", "stdnum"), ("iban", "stdnum")])
def test_without_the_extra_nothing_is_shown_unmasked(kind: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ModuleNotFoundError):
        mask("call +49 30 901820 now", (kind,))
    assert mask("write to a@b.com", ("email",)) == "write to [e-mail]"
