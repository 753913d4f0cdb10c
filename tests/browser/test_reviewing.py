"""People at work in their windows: they vote, say why, undo, decide and see each other's effects."""

from typing import TYPE_CHECKING

import pytest

from bot.runtime.clock import utc_now
from core.learning.data.seeds import add_seeds
from core.storage.database import PATIENT
from tests.browser.conftest import PHONE, OpenWindow
from tests.flows.conftest import seeds
from tests.loop import Loop

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

TICKET = "the sofa came late, so i want my money back"
GUESS = {"delivery": 0.5, "refund": 0.4, "billing error": 0.1}


def message(page: "Page", words: str) -> "Locator":
    return page.get_by_role("listitem").filter(has_text=words).last


def card_in(loop: Loop, page: "Page") -> "Locator":
    loop.card(TICKET)
    found = message(page, TICKET)
    found.wait_for()
    return found


@pytest.mark.slow
def test_a_reviewer_says_why_corrects_a_field_and_undoes_it_on_the_home_tab(loop: Loop, window: OpenWindow) -> None:
    loop.predict("T-1", TICKET, GUESS)
    ana = window(loop.box.address, "/as/ana/support-review")
    card_in(loop, ana).get_by_role("button", name="Say why about item 1").click()
    form = ana.get_by_role("dialog", name="Item 1")
    label = form.get_by_role("combobox", name="Answer")
    assert has_focus(label)  # focus_on_load
    form.get_by_role("textbox", name="Note").fill("a bill and a late parcel in one")
    form.get_by_role("button", name="Send").click()

    form.get_by_text("Please complete this required field.").wait_for()
    assert label.get_attribute("aria-invalid") == "true"
    assert has_focus(label)
    label.fill("ref")
    label.press("Enter")
    assert label.input_value() == "refund"
    form.get_by_role("combobox", name="Why is it hard").click()
    form.get_by_role("option", name="missing context").click()
    form.get_by_role("button", name="Send").click()
    form.wait_for(state="hidden")

    loop.box.wait_for(lambda: loop.votes() == ["U_ANA"])

    ana.get_by_role("link", name="goldloop").click()
    answer = ana.locator(".home .block-section", has_text="Item 1: refund")
    answer.get_by_role("button", name="Undo").click()
    answer.wait_for(state="detached")  # the Home tab is drawn again without it
    ana.get_by_role("button", name="Pause").click()
    ana.get_by_role("button", name="Resume").wait_for()
    ana.get_by_role("link", name="support-review").click()
    message(ana, "Votes stay hidden until decided.").wait_for()


def has_focus(element: "Locator") -> bool:
    return bool(element.evaluate("element => element === document.activeElement"))


@pytest.mark.slow
def test_a_settled_card_changes_in_the_other_persons_window_and_words_stay_in_ones_own(
    loop: Loop, window: OpenWindow
) -> None:
    loop.predict("T-1", TICKET, GUESS)
    ana = window(loop.box.address, "/as/ana/support-review")
    ben = window(loop.box.address, "/as/U_BEN/C_REVIEW", PHONE)
    for page in (ana, ben):
        card_in(loop, page)
        page.evaluate("window.neverLoadedAgain = true")

    vote = card_in(loop, ana).get_by_role("button", name="Label item 1 as refund")
    vote.click()
    told = message(ana, "Item 1: refund")
    told.get_by_text("Only visible to you").wait_for()
    told.get_by_role("button", name="Undo this answer").click()
    message(ana, "Item 1: your answer is withdrawn.").wait_for()
    vote.click()
    loop.box.wait_for(lambda: loop.votes() == ["U_ANA"])
    assert ben.get_by_text("Only visible to you").count() == 0

    card_in(loop, ben).get_by_role("button", name="Label item 1 as refund").click()
    for page in (ana, ben):
        message(page, "refund (2 votes)").wait_for()
        assert message(page, "refund (2 votes)").get_by_role("button", name="Skip").count() == 0
        assert page.evaluate("window.neverLoadedAgain") is True


@pytest.mark.slow
def test_a_lead_promotes_a_model_by_picking_a_reaction(loop: Loop, window: OpenWindow) -> None:
    with loop.database.transaction(wait=PATIENT) as session:
        add_seeds(session, seeds(), utc_now(), loop.queue)
    cleo = window(loop.box.address, "/as/cleo/support-leads")
    write(cleo, "/goldloop retrain")
    report = message(cleo, "The golden gate passes it")
    report.wait_for()
    report.hover()
    report.get_by_role("button", name="Add a reaction").first.click()
    picker = cleo.get_by_role("dialog", name="Pick an emoji")
    picker.get_by_role("searchbox").fill("white_check")
    picker.get_by_role("button", name="white check mark", exact=True).click()

    live = message(cleo, "v1 is live")
    live.wait_for()
    mine = live.get_by_role("button", name="white check mark: you")
    assert mine.get_attribute("aria-pressed") == "true"


@pytest.mark.slow
def test_a_command_answers_its_person_alone_and_a_shortcut_opens_a_form(loop: Loop, window: OpenWindow) -> None:
    cleo = window(loop.box.address, "/as/cleo/support-review")
    field = cleo.get_by_role("combobox", name="Message #support-review")
    field.press_sequentially("/gold")
    cleo.get_by_role("option", name="/goldloop").wait_for()
    field.press("Tab")
    assert field.input_value() == "/goldloop "
    field.press_sequentially("stats")
    field.press("Enter")
    message(cleo, "Agreement").get_by_text("Only visible to you").wait_for()
    assert field.input_value() == ""

    loop.ben.post("C_REVIEW", "is this one a refund?")
    found = message(cleo, "is this one a refund?")
    found.hover()
    found.get_by_role("button", name="More actions").click()
    cleo.get_by_role("menuitem", name="Flag for review").click()
    form = cleo.get_by_role("dialog", name="Flag for review")
    assert form.get_by_role("textbox", name="Text").input_value() == "is this one a refund?"
    cleo.keyboard.press("Escape")
    form.wait_for(state="hidden")


def write(page: "Page", words: str) -> None:
    field = page.get_by_role("combobox", name="Message #")
    field.fill(words)
    field.press("Enter")
