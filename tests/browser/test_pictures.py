"""A radiologist at work on a phone: both views of a chest, the finding confirmed, the study in the viewer."""

from typing import TYPE_CHECKING

import pytest

from bot.runtime.clock import utc_now
from core.intake.ingest import record_predictions
from core.intake.predictions import checked_prediction
from core.storage.database import PATIENT
from tests.browser.conftest import PHONE, OpenWindow
from tests.browser.test_reviewing import message
from tests.flows.conftest import StartLoop
from tests.loop import Loop
from tests.people import support_policy
from tests.pictures import drawn

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

VIEWER = "https://pacs.example/studies/17"


@pytest.fixture
def loop(chromium: "Browser", start_loop: StartLoop) -> Loop:
    return start_loop(policy=support_policy(labels=["normal", "pneumonia"], review={"blind_share": 0.0}))


def sends(loop: Loop, number: int = 17) -> None:
    front, side = drawn(number), drawn(number + 1, upright=False)
    row = {
        "external_id": f"S-{number}", "model_version": "m1", "probabilities": {"pneumonia": 0.7, "normal": 0.3},
        "image": ["front.png", "side.png"], "link": VIEWER, "fields": {"View": "standing"},
    }  # fmt: skip
    checked = checked_prediction(row, loop.queue, {"front.png": front, "side.png": side})
    with loop.database.transaction(wait=PATIENT) as session:
        record_predictions(session, [checked], utc_now(), loop.queue, [front, side])


def is_within(found: "Locator") -> bool:
    """Whether all of these are drawn within the width of a phone."""
    boxes = [one.bounding_box() for one in found.all()]
    return all(box and box["x"] >= 0 and box["x"] + box["width"] <= PHONE[0] and box["height"] > 10 for box in boxes)


@pytest.mark.slow
def test_a_finding_is_confirmed_on_a_phone(loop: Loop, window: OpenWindow) -> None:
    sends(loop)
    loop.card("For labelling, not for diagnosis")
    phone = window(loop.box.address, "/as/ana/support-review", PHONE)
    card = message(phone, "For labelling, not for diagnosis")
    card.wait_for()
    pictures = card.get_by_role("img", name="Support tickets, item 1, picture")
    assert pictures.count() == 2
    for place in range(2):
        pictures.nth(place).evaluate("one => one.decode()")
    assert is_within(pictures)
    assert is_within(card.get_by_role("button").filter(visible=True))
    assert card.get_by_role("link", name="S-17").get_attribute("href") == VIEWER
    card.get_by_role("button", name="Label item 1 as normal").wait_for()
    confirm = card.get_by_text("Confirm pneumonia")
    confirm.click()
    phone.get_by_text("pneumonia").last.wait_for()
    loop.box.wait_for(lambda: loop.votes() == ["U_ANA"])


@pytest.mark.slow
def test_the_newest_card_is_in_view_although_its_pictures_come_late(loop: Loop, window: OpenWindow) -> None:
    """The list grows under the reader, who has not scrolled."""
    from playwright.sync_api import expect

    for number in (20, 30, 40):
        sends(loop, number)
    loop.card("item 3")
    phone = window(loop.box.address, "/as/ana/support-review", PHONE)
    message(phone, "Support tickets · item 3").get_by_role("img").last.evaluate("one => one.decode()")
    for number in (50, 60):
        sends(loop, number)
    newest = message(phone, "Support tickets · item 5")
    newest.get_by_role("img").last.evaluate("one => one.decode()")
    expect(newest.get_by_role("button", name="Skip")).to_be_in_viewport()
    expect(phone.get_by_role("button", name="New messages")).to_be_hidden()
