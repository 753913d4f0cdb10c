"""The card and the chart of a drift alarm."""

import io
from dataclasses import replace
from datetime import timedelta

import matplotlib.image
import pytest

from bot.slack.delivery.drift_chart import draw_drift, drift_upload
from bot.slack.views.drift import items, new_label, render
from bot.wording.drift import NAMES, drift_sentence
from bot.wording.format import PLAIN
from core.delivery.card_refs import CardRef
from core.intake.drift_card import DriftCard
from core.intake.slice_cards import Example
from core.quality.drift import Drift
from core.vocabulary import DriftSign
from tests.bot.drawn import check
from tests.core.desk import NOW

DAYS = tuple((NOW + timedelta(days=number), value) for number, value in enumerate((0.01, None, 0.02, 0.09)))
SENTENCES = {
    DriftSign.NONE_OF_THESE: "On Nov 24, people said of 14 items that no label fits; about 1 was expected.",
    DriftSign.CORRECTIONS: "On Nov 24, people corrected 14 answers “refund”; about 1 was expected.",
    DriftSign.CONFIDENCE: "On Nov 24, the model was unsure of 14 predictions; about 1 was expected.",
    DriftSign.VOLUME: "On Nov 24, 14 predictions arrived; about 1 was expected.",
}
STEPS = {
    DriftSign.NONE_OF_THESE: "Look at these texts (item 3, item 9). If they belong together, add a label for them",
    DriftSign.CORRECTIONS: "`/goldloop retrain support`",
    DriftSign.CONFIDENCE: "`/goldloop retrain support`",
    DriftSign.VOLUME: "Check whether the system that sends predictions works",
}


def drift(sign: DriftSign = DriftSign.NONE_OF_THESE, label: str | None = "refund", days: int = 1) -> Drift:
    return Drift(sign, label, days, 14, 1.2, 0.0001)


def card(sign: DriftSign = DriftSign.NONE_OF_THESE, run_id: int | None = None, title: str = "Support") -> DriftCard:
    items_of_people = (3, 9) if sign in (DriftSign.NONE_OF_THESE, DriftSign.CORRECTIONS) else ()
    return DriftCard(CardRef(4, 7), "support", title, (drift(sign),), items_of_people, DAYS, run_id, NOW.date())


@pytest.mark.parametrize("sign", list(DriftSign))
def test_the_card_says_what_was_seen_what_was_expected_and_the_next_step(sign: DriftSign) -> None:
    message = render(card(sign))
    assert SENTENCES[sign] in str(message.blocks)
    assert SENTENCES[sign] in message.text
    assert STEPS[sign] in str(message.blocks)
    assert sign in NAMES


def test_a_requested_run_is_named() -> None:
    assert "As the policy says, training run 7 was requested." in str(render(card(run_id=7)).blocks)
    assert "was requested" not in str(render(card()).blocks)


def test_days_and_numbers_are_written_out() -> None:
    assert drift_sentence(Drift(DriftSign.VOLUME, None, 7, 1, 3000.4, 0.0), NOW.date(), PLAIN) == (
        "In the 7 days until Nov 24, 1 prediction arrived; about 3,000 were expected."
    )
    rare = Drift(DriftSign.NONE_OF_THESE, None, 1, 3, 0.2, 0.0)
    assert drift_sentence(rare, NOW.date(), PLAIN).endswith("that no label fits; almost none were expected.")


def test_a_label_has_no_effect_inside_the_card() -> None:
    strange = Drift(DriftSign.CORRECTIONS, "<!channel> *x*", 1, 2, 1.0, 0.0)
    drawn = render(DriftCard(CardRef(4), "support", "<!here>", (strange,), (), DAYS, None, NOW.date()))
    assert "<!" not in str(drawn.blocks) + drawn.text


@pytest.mark.parametrize("sign", list(DriftSign))
def test_the_chart_is_a_file_whose_words_say_the_same(sign: DriftSign) -> None:
    file = drift_upload(card(sign, title="Support $x$"), "drift-4.png")
    assert (file["filename"], file["alt_txt"]) == ("drift-4.png", SENTENCES[sign])
    assert matplotlib.image.imread(io.BytesIO(file["content"])).shape[:2] == (675, 1200)


def test_it_can_be_drawn_without_any_day() -> None:
    assert draw_drift(DriftCard(CardRef(4), "support", "", (drift(),), (), (), None, NOW.date()), "").startswith(
        b"\x89PNG"
    )


@pytest.mark.parametrize(
    ("sign", "buttons"),
    [
        (DriftSign.NONE_OF_THESE, ["No label fits 14 items: open them", "New label?"]),
        (DriftSign.CORRECTIONS, ["Open 14 wrong answers", "Retrain"]),
        (DriftSign.CONFIDENCE, ["Retrain"]),
        (DriftSign.VOLUME, []),
    ],
)
def test_the_next_step_is_a_button(sign: DriftSign, buttons: list[str]) -> None:
    assert pressed(card(sign)) == buttons
    assert "Retrain" not in pressed(card(sign, run_id=7)), "the policy has asked for a run"


def pressed(one: DriftCard) -> list[str]:
    drawn = [block for block in render(one).blocks if block["type"] == "actions"]
    return [button["text"]["text"] for block in drawn for button in block["elements"]]


def test_the_items_are_listed_and_how_a_label_is_added_is_said() -> None:
    example = Example(7, None, "by fax", "refund", "None of these", None)
    assert "Item 7: model *refund*, people *None of these*" in check(items(card(), [example], ""))
    assert "`[queues.support]`" in check(new_label(card()))


def test_an_alarm_with_two_signs_has_the_steps_and_buttons_of_both() -> None:
    signs = (drift(DriftSign.NONE_OF_THESE), drift(DriftSign.CORRECTIONS))
    message = render(replace(card(), signs=signs))
    said = str(message.blocks)
    assert SENTENCES[DriftSign.NONE_OF_THESE] in said
    assert SENTENCES[DriftSign.CORRECTIONS] in said
    assert "*Next steps:*" in said
    assert STEPS[DriftSign.NONE_OF_THESE] in said
    assert STEPS[DriftSign.CORRECTIONS] in said
    buttons = [one["action_id"] for block in message.blocks if block["type"] == "actions" for one in block["elements"]]
    assert buttons == ["drift_items", "drift_new_label", "drift_retrain"]


def test_where_the_most_certain_sign_has_no_items_those_of_the_next_are_opened() -> None:
    signs = (drift(DriftSign.CONFIDENCE), drift(DriftSign.NONE_OF_THESE))
    both = replace(card(), signs=signs)
    assert pressed(both) == ["No label fits 14 items: open them", "New label?", "Retrain"]
    assert STEPS[DriftSign.NONE_OF_THESE] in str(render(both).blocks)
    assert SENTENCES[DriftSign.NONE_OF_THESE] in check(items(both, [], ""))
