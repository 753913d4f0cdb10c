"""The card of an item in each of its states: Slack takes it, it fits, its text contains what it shows, and it
reveals nothing hidden."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.sandbox.limits import validate
from bot.slack.views import forms, review_item
from bot.slack.views.mrkdwn import moment
from core.pictures.files import PictureFile
from core.review.cards import FlagLine, GivenReason, ItemCard, ModelAnswer
from core.review.history import (
    HistoryLine,
    Opened,
)
from core.vocabulary import (
    Coded,
    ErrorReason,
    ItemState,
    Reason,
)
from tests.bot.cards import AT, BLIND, DISPUTED, SETTLED, item, outcome
from tests.bot.drawn import check, said
from tests.bot.hostile import HOSTILE
from tests.people import ANA, BEN, CLEO

PICTURE = PictureFile(3, "picture-3.png", "F_3", ready=True, begun=True)
STORED = f"picture:{'a' * 64}"


class TestACardWithAPicture:
    def drawn(self, **more: Any) -> Any:
        return review_item.render(item(text="", image_url=STORED, pictures=(PICTURE,), **more))

    def test_it_shows_the_file_with_words_that_betray_nothing(self) -> None:
        drawn = self.drawn(blind=True, predicted_label=None, confidence=None)
        assert validate(drawn.blocks, "message") == []
        [image] = [block for block in drawn.blocks if block["type"] == "image"]
        assert (image["slack_file"], image["alt_text"]) == ({"id": "F_3"}, "Support tickets, item 7")
        assert "For labelling, not for diagnosis." in said(drawn.blocks)

    def test_with_two_labels_the_finding_is_confirmed_or_rejected(self) -> None:
        labels = ("pneumonia", "normal")
        words = said(self.drawn(labels=labels, predicted_label="pneumonia").blocks)
        assert "Confirm pneumonia" in words
        assert "Reject, it is normal" in words
        for more in ({"labels": labels, "predicted_label": None, "blind": True}, {"predicted_label": "refund"}):
            words = said(self.drawn(**more).blocks)
            assert "Confirm" not in words
            assert "Reject" not in words

    def test_an_image_at_a_web_address_is_shown_with_the_same_words(self) -> None:
        labels = ("pneumonia", "normal")
        drawn = review_item.render(
            item(text="", image_url="https://files.example/A.png", labels=labels, predicted_label="pneumonia")
        )
        assert [block["image_url"] for block in drawn.blocks if block["type"] == "image"]
        words = said(drawn.blocks)
        assert "For labelling, not for diagnosis." in words
        assert "Confirm pneumonia" in words

    def test_a_picture_without_a_file_is_left_out_and_never_drawn_by_its_address(self) -> None:
        for pictures in ((), (replace(PICTURE, file_id=None),)):
            words = said(review_item.render(item(text="", image_url=STORED, pictures=pictures)).blocks)
            assert STORED not in words
            assert "slack_file" not in words


STATES: dict[str, Callable[[str], ItemCard]] = {
    "open": lambda text: item(text=text, fields={text[:80]: text[:500]}),
    "blind": lambda text: item(text=text, **BLIND),
    "asked again": lambda text: item(text=text, asked_again=True, **BLIND),
    "written": lambda text: item(text=text, written_for=text[:60], predicted_label=None, confidence=None),
    "written, closed": lambda text: item(text=text, written_for="refund", state=ItemState.CLOSED),
    "many fields": lambda text: item(text=text, fields={f"{n} {text[:70]}": text[:500] for n in range(20)}),
    "an image": lambda text: item(text="", image_url="https://files.example/A.png"),
    "no guess": lambda text: item(
        text=text, predicted_label=None, confidence=None, why_flagged=(FlagLine(Coded(Reason.PERSON), ANA),)
    ),
    "with a new suggestion": lambda text: item(text=text, newer=ModelAnswer("refund", 0.9, {}, "v4")),
    "closed": lambda text: item(text=text, state=ItemState.CLOSED),
    "disputed": lambda text: item(text=text, **DISPUTED),
    "disputed, blind": lambda text: item(text=text, **DISPUTED, **BLIND),
    "settled": lambda text: item(text=text, **SETTLED, outcome=outcome(text[:1000])),
    "settled by a lead": lambda text: item(text=text, **SETTLED, outcome=outcome(text[:1000], lead=CLEO)),
    "settled with names": lambda text: item(text=text, **SETTLED, outcome=outcome(names={"refund": (ANA, BEN)})),
    "settled as none of these": lambda text: item(text=text, **SETTLED, outcome=outcome(label=None, tally={})),
    "settled, many whys": lambda text: item(
        text=text,
        **SETTLED,
        outcome=outcome(reasons=(GivenReason("refund", ErrorReason.OTHER, text[:1000], ANA),) * 15),
    ),
    "confirmed": lambda text: item(text=text, **SETTLED, outcome=outcome(model_was_right=True)),
}


@pytest.mark.parametrize("state", STATES)
def test_slack_takes_a_card_in_each_state_with_any_text(state: str) -> None:
    for text in HOSTILE:
        check(review_item.render(STATES[state](text)))


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("count", [2, 4, 5, 12, 13, 20, 21, 100, 1000])
def test_slack_takes_a_card_with_any_number_of_labels(state: str, count: int) -> None:
    names = tuple(f"label {number:04} {'<!channel> *' * 4}"[:60] for number in range(count))
    check(review_item.render(replace(STATES[state]("text"), labels=names, most_buttons=20)))


@pytest.mark.parametrize("letter", ["x", "é", "中", "😀", "&", "*", '"'])
def test_slack_takes_a_card_with_the_longest_labels_there_are(letter: str) -> None:
    names = tuple(f"{number:04}{letter * 56}" for number in range(20))
    for blind in ({}, BLIND):
        check(review_item.render(item(labels=names, most_buttons=20, text=letter * 5000, **blind)))
        check(review_item.render(item(labels=names[:12], most_buttons=20, predicted_label=names[0], **DISPUTED)))
    tally = dict.fromkeys(names, 1)
    settled = outcome(label=names[0], tally=tally, names=dict.fromkeys(names, (ANA,)))
    check(review_item.render(item(**SETTLED, predicted_label=names[1], outcome=settled)))


def test_a_card_says_what_the_new_model_and_the_former_one_say() -> None:
    drawn = review_item.render(item(newer=ModelAnswer("refund", 0.9, {}, "v4")))
    words = "The new model v4 says *refund* (90%). The previous one said *billing error* (50%)."
    assert words in check(drawn)
    assert words.replace("*", "") in drawn.text
    alone = item(newer=ModelAnswer("refund", 0.9, {}, "v4"), predicted_label=None, confidence=None)
    assert "The new model v4 says *refund* (90%)." in check(review_item.render(alone))


def test_a_blind_card_says_nothing_of_the_model() -> None:
    said = check(review_item.render(item(**BLIND)))
    assert "Blind" in said
    assert "model says" not in said
    assert "primary" not in said
    assert "%" not in said


def test_a_card_about_a_stored_label_says_that_it_is_a_second_look_and_not_at_what() -> None:
    said = check(review_item.render(item(asked_again=True, **BLIND)))
    assert "Second look" in said
    assert "model" not in said


def test_a_card_about_a_written_text_asks_about_its_label_and_names_no_sender() -> None:
    written = {"written_for": "refund", "predicted_label": None, "confidence": None, "why_flagged": ()}
    said = check(review_item.render(item(external_id="synthetic text 5", **written)))
    assert "*Written by a language model: is refund right?*" in said
    assert "synthetic text 5" not in said
    assert "No model has seen this" not in said
    assert "ID" not in said
    settled = check(review_item.render(item(**SETTLED, outcome=outcome(), **written)))
    assert "A language model wrote this for refund." in settled
    over = check(review_item.render(item(state=ItemState.CLOSED, **written)))
    assert "was closed, because its batch of written texts is over" in over


def test_an_open_card_offers_the_guess_first_and_every_way_to_answer() -> None:
    drawn = review_item.render(item())
    buttons = [button for block in drawn.blocks if block["type"] == "actions" for button in block["elements"]]
    assert [button["text"]["text"] for button in buttons] == [
        "billing error", "refund", "delivery", "None of these", "Why?", "Cannot judge", "Skip",
    ]  # fmt: skip
    assert buttons[0]["value"] == "7|label|billing error"
    assert '"Votes stay hidden until decided."' in check(drawn)
    assert "The model says billing error (50%)" in drawn.text
    assert "charged twice" in drawn.text


def test_only_a_suggestion_that_reaches_the_confidence_is_coloured() -> None:
    def coloured(card: ItemCard) -> list[str]:
        drawn = [part for block in review_item.render(card).blocks for part in block.get("elements", [])]
        return [part["text"]["text"] for part in drawn if part.get("style") == "primary"]

    assert coloured(item()) == []
    assert coloured(item(sure=True)) == ["billing error"]
    assert coloured(item(sure=True, newer=ModelAnswer("refund", 0.9, {}, "v4"))) == ["refund"]


@pytest.mark.parametrize("more", [{}, BLIND], ids=["guided", "blind"])
def test_twelve_labels_are_twelve_buttons(more: dict[str, Any]) -> None:
    names = tuple(f"label {number}" for number in range(12))
    said = check(review_item.render(item(labels=names, **more)))
    assert all(f'"{name}"' in said for name in names)
    assert "Other…" not in said
    assert "Choose a label…" not in said


def test_a_disputed_card_asks_the_leads_and_offers_no_skip() -> None:
    said = check(review_item.render(item(**DISPUTED)))
    assert said.index("See votes and reasons") < said.index("Label item 7 as refund"), "before deciding"
    assert f"*A lead decides because 3 votes didn't settle it.* <@{CLEO}>, which label is right?" in said
    assert "Skip" not in said
    assert "None of these" in said
    assert "See votes and reasons" in said


def test_a_settled_card_has_verdict_tally_and_whys_and_no_live_vote() -> None:
    drawn = review_item.render(item(**SETTLED, outcome=outcome()))
    said = check(drawn)
    assert "*refund* (2 of 3 votes; 1 × None of these). The model said billing error (50%)." in said
    assert "_ambiguous: several labels fit_ both fit" in said
    assert "vote:" not in said
    assert "How was this decided?" in said
    assert drawn.text.startswith("Item 7: refund (2 of 3 votes; ")
    assert "  " not in drawn.text


def test_a_settled_card_that_no_model_has_seen_says_nothing_of_a_model() -> None:
    unseen = review_item.render(item(**SETTLED, predicted_label=None, outcome=outcome(model_was_right=None)))
    assert '*refund* (2 of 3 votes; 1 × None of these)."' in check(unseen)
    assert unseen.text == "Item 7: refund (2 of 3 votes; 1 × None of these). “charged twice”"


def test_a_settled_card_without_a_fitting_label_says_so_in_words() -> None:
    drawn = review_item.render(item(**SETTLED, outcome=outcome(label=None, tally={"None of these": 2}, reasons=())))
    assert ":pencil2: *No label fits* (2 votes)." in check(drawn)
    assert drawn.text.startswith("Item 7: No label fits (2 votes).")


def test_a_card_says_which_input_it_is_about_and_leads_there() -> None:
    link = "https://desk.example/T-7"
    assert '"ID T-7"' in check(review_item.render(item()))
    assert f'"ID <{link}|T-7>"' in check(review_item.render(item(link=link)))
    assert f'"ID <{link}|T-7>"' in check(review_item.render(item(link=link, **SETTLED, outcome=outcome())))
    assert review_item.render(item(link=link)).text.endswith("“charged twice” ID T-7")
    flagged = review_item.render(item(external_id="slack:C_HELP:1764000000.000100"))
    assert {"A message in <#C_HELP>"} == {part["text"] for part in flagged.blocks[3]["elements"]}
    for hidden in (item(asked_again=True), item(state=ItemState.ERASED)):
        assert "T-7" not in check(review_item.render(hidden)) + review_item.render(hidden).text
    for text in HOSTILE:
        check(review_item.render(item(external_id=text[:200])))
        check(review_item.render(item(external_id=f"slack:C1|{text[:100]}:1.1")))


def test_links_in_fields_can_be_clicked() -> None:
    fields = {"Ticket": "see https://desk.example/t/7?a=1&b=2, please"}
    assert "see <https://desk.example/t/7?a=1&amp;b=2>, please" in check(review_item.render(item(fields=fields)))


def test_a_card_says_why_it_asks() -> None:
    flagged = (*item().why_flagged, FlagLine(Coded(Reason.PERSON), BEN), FlagLine(Coded("of_a_newer_release"), None))
    said = check(review_item.render(item(why_flagged=flagged)))
    for sentence in ("Asked because the model is below 80%.", f"Flagged by <@{BEN}>.", "Flagged for review."):
        assert f'"{sentence}"' in said


def test_a_disputed_card_of_a_newer_release_still_goes_to_the_lead() -> None:
    said = check(review_item.render(item(state=ItemState.DISPUTED, dispute=Coded("raters_disagree", {"kappa": 0.1}))))
    assert f"*A lead decides.* <@{CLEO}>, which label is right?" in said


def test_the_reader_sees_times_in_their_own_zone() -> None:
    said = check(forms.how_decided(7, [HistoryLine(AT, Opened(blind=False))]))
    assert f"{moment(AT)} – Shown to reviewers with the model's prediction." in said


def test_a_long_text_is_behind_a_button_and_shown_whole_there() -> None:
    text = "word " * 20_000
    assert "read_all" in check(review_item.render(item(text=text)))
    assert "read_all" not in check(review_item.render(item(text="short")))
    whole = forms.whole_text(7, text)
    check(whole)
    assert "".join(block["text"]["text"] for block in whole.body["blocks"]) == text


@pytest.mark.parametrize("letter", ["x", "é", "中", "😀"])
def test_the_longest_text_that_is_taken_can_be_read_in_every_script(letter: str) -> None:
    whole = forms.whole_text(7, letter * 100_000)
    said = check(whole)
    shown = sum(len(block["text"]["text"]) for block in whole.body["blocks"] if block["type"] == "section")
    assert shown >= 49_000
    assert (shown == 100_000) != ("Slack shows no more" in said)
