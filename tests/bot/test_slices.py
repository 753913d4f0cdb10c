"""Weak slices in words, and what helps."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest

from bot.slack.views import slices
from bot.slack.views.mrkdwn import MRKDWN
from bot.wording.format import PLAIN
from bot.wording.offers import NAMES as OFFER_NAMES
from bot.wording.offers import offer_button, offer_lines
from bot.wording.slices import label_whys, remedy, slice_lines, slice_name
from core.delivery.card_refs import CardRef
from core.delivery.outbox import Place
from core.intake.slice_cards import Asking, Example, SliceCard
from core.offers.cost import Cost, Gain, Spend
from core.offers.table import Offer, OfferedSlice
from core.quality.slices import LENGTHS, Look, WeakSlice
from core.vocabulary import ErrorReason, OfferKind, SliceKind
from tests.bot.drawn import check
from tests.bot.hostile import HOSTILE
from tests.core.desk import NOW
from tests.people import CLEO

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
        "channel = “fax”: 41 of 60 settled answers wrong (68%), elsewhere 30%. "
        "Reasons: ambiguous: several labels fit (9), something else (2). Items 9, 4. "
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


def card(asking: Asking | None = None, look: Look = FAX, title: str = "Support") -> SliceCard:
    return SliceCard(CardRef(4, 7), "support", title, weak(look, {"ambiguous": 9}), asking)


OFFERS = (
    Offer(OfferKind.FIND_MORE, ("archive", "mail"), Cost(50, 150, 37.5, assumed=True), Gain(0, 0), label="a<b"),
    Offer(OfferKind.ASK_PEOPLE, ("",), Cost(50, 110, 11.0, assumed=False), Gain(40, 22)),
    Offer(OfferKind.WRITE_EXAMPLES, ("",), Cost(10, 22, 2.2, False), Gain(20, 19), Spend("large", 8, 4, 16_340, 0.5)),
)


def offered(one: SliceCard, *offers: Offer) -> OfferedSlice:
    return OfferedSlice(one, offers)


def test_an_offer_says_what_it_costs_and_what_it_has_gained() -> None:
    assert offer_lines(OFFERS, MRKDWN) == [
        "Find more like these for “a&lt;b”: up to 50 items, about 150 votes and 38 minutes (15 s a vote, assumed). "
        "What it gains in this queue is not known yet.",
        "Ask people: up to 50 items, about 110 votes and 11 minutes. "
        "So far in this queue, 22 of 40 such items corrected the model.",
        "Write examples: up to 10 items, about 22 votes and 2 minutes; up to 8 masked texts are sent to large in "
        "4 calls, 16,340 tokens for 0.50 at most. So far in this queue, people confirmed 19 of 20 such items.",
    ]
    find = OFFERS[0]
    assert offer_button(find, "mail") == "Find more like these in mail"
    assert offer_button(replace(find, choices=("mail",)), "mail") == "Find more like these"
    assert set(OFFER_NAMES) == set(OfferKind)


def test_offers_of_the_same_cost_say_it_once() -> None:
    find, ask, write = OFFERS
    alike = [replace(find, cost=ask.cost), ask, write]
    line, other = offer_lines(alike, MRKDWN)
    assert line == (
        "Find more like these for “a&lt;b”, Ask people: each up to 50 items, about 110 votes and 11 minutes. Find more "
        "like these for “a&lt;b”: what it gains in this queue is not known yet. Ask people: so far in this queue, 22 "
        "of 40 such items corrected the model."
    )
    assert other.startswith("Write examples: up to 10 items")
    [line, _other] = offer_lines([replace(one, gain=Gain(0, 0)) for one in alike], MRKDWN)
    assert line == (
        "Find more like these for “a&lt;b”, Ask people: each up to 50 items, about 110 votes and 11 minutes. What it "
        "gains in this queue is not known yet."
    )


def test_costs_that_are_the_same_on_all_cards_stand_above_them_once() -> None:
    find, ask, _write = OFFERS
    asked = offered(card(Asking(CLEO, 12, 50, NOW)))
    alike = [offered(card(), replace(find, choices=("mail",)), ask), offered(card(), ask), asked, offered(card(), find)]
    said = check(slices.render(alike, "Support", 500, {}))
    assert said.count("about 110 votes") == said.count("about 150 votes") == 1
    assert said.index("For each of these:") < said.index("about 110 votes") < said.index("41 of 60 settled")


@pytest.mark.parametrize(
    "other", [replace(OFFERS[1], cost=Cost(50, 100, 9.0, False)), replace(OFFERS[1], gain=Gain(41, 22))]
)
def test_costs_that_differ_stand_below_the_buttons_of_each_card(other: Offer) -> None:
    cards = [offered(card(), OFFERS[1]), offered(card(), other)]
    drawn = slices.card_blocks(cards)
    assert [block["type"] for block in drawn] == ["section", "actions", "context"] * 2
    assert "For each of these" not in check(slices.render(cards, "Support", 500, {}))


def test_a_card_alone_has_its_costs_below_its_buttons() -> None:
    drawn = slices.card_blocks([offered(card(), OFFERS[1]), offered(card(Asking(CLEO, 12, 50, NOW)))])
    assert [block["type"] for block in drawn] == ["section", "actions", "context", "section", "actions"]


def test_reasons_are_shown_by_label() -> None:
    [line] = label_whys({"refund": {"ambiguous": 2, "newer": 1}, "delivery": {"newer": 1}}, PLAIN)
    assert line == (
        "Reasons for wrong answers, by the model's label: “refund”: ambiguous: several labels fit (2); "
        "“delivery”: something else."
    )
    assert label_whys({}, PLAIN) == []


def test_a_card_has_its_wrong_answers_and_what_a_lead_can_do() -> None:
    message = slices.render([offered(card(), *OFFERS)], "Support", 500, {"refund": {"ambiguous": 2}})
    said = check(message)
    for words in ("41 of 60 settled answers wrong", "Next: rewrite the guideline", "by the model's label"):
        assert words in said
    buttons = [one for block in message.blocks if block["type"] == "actions" for one in block["elements"]]
    assert [(one["action_id"], one["value"]) for one in buttons] == [
        ("slice_examples", "4.7"),
        ("offer:find_more:0", "4.7|slice|archive"),
        ("offer:find_more:1", "4.7|slice|mail"),
        ("offer:ask_people:0", "4.7|slice|"),
        ("offer:write_examples:0", "4.7|slice|"),
    ]


def test_a_card_says_who_has_people_asked_how_many_and_until_when() -> None:
    asked = card(Asking(CLEO, 12, 50, NOW))
    said = check(slices.render([offered(asked)], "Support", 500, {}))
    assert f"People are asked about these at the request of <@{CLEO}>: 12 of at most 50 items opened, until" in said
    assert "stop_asking" in said


def test_without_a_weak_slice_the_answer_says_so() -> None:
    assert "among 12 settled answers" in check(slices.render([], "Support", 12, {}))


@pytest.mark.parametrize("text", HOSTILE)
def test_slack_takes_the_cards_and_the_examples_of_any_text(text: str) -> None:
    strange = card(look=Look(SliceKind.PAIR, text, other=text), title=text)
    check(slices.render([offered(strange, *OFFERS)] * 5, text, 9, {text: {"other": 1}}))
    place = Place("C1", "1.2")
    example = Example(7, place, text[:200], text, text, "ambiguous")
    drawn = check(slices.examples_of_slice(strange, [example] * 12, "https://x.slack.com/"))
    assert "https://x.slack.com/archives/C1/p12" in drawn


def test_examples_name_the_item_both_labels_and_why() -> None:
    example = Example(7, None, "by fax", "refund", "billing error", "ambiguous")
    drawn = check(slices.examples_of_slice(card(), [example], ""))
    assert "Item 7: model *refund*, people *billing error*, _ambiguous: several labels fit_" in drawn
    assert "the present model has none" in check(slices.examples_of_slice(card(), [], ""))
