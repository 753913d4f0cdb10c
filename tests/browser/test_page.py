"""What the page draws and does, whatever app is connected: Block Kit, mrkdwn, hostile text, forms, accessible names."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.sandbox.client import SandboxClient
from bot.sandbox.server import serve
from tests.browser import gallery
from tests.browser.conftest import PHONE, WIDE, OpenWindow
from tests.sandbox.conftest import connect, disconnect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

HOSTILE = '<img src=x onerror="window.hit=1"> <script>window.hit=1</script> <javascript:window.hit=1|press> &lt;b&gt;'


@pytest.fixture
def box(chromium: "Browser") -> Iterator[SandboxClient]:
    with serve(gallery.CONFIG) as address, SandboxClient(address) as box:
        yield box


@pytest.fixture
def web(box: SandboxClient) -> WebClient:
    return WebClient("xoxb-A_LOOP", base_url=f"{box.address}/api/", retry_handlers=[])


@pytest.fixture
def app(box: SandboxClient, web: WebClient) -> Iterator[App]:
    """Connected; it opens the form of every input at /loop and says yes to everything else."""
    app = App(name="loop", client=web)
    handler = connect(app)
    yield app
    disconnect(box, handler)


def last(page: "Page") -> "Locator":
    return page.get_by_role("listitem").last


@pytest.mark.parametrize(("written", "drawn"), gallery.MRKDWN)
def test_mrkdwn_follows_slacks_rules(mrkdwn: "Page", written: str, drawn: str) -> None:
    draw = """async (written) => {
        const { mrkdwn } = await import("/static/mrkdwn.js");
        const box = document.createElement("div");
        box.append(...mrkdwn(written));
        for (const each of box.querySelectorAll("*")) {
            for (const { name } of [...each.attributes]) if (name !== "href") each.removeAttribute(name);
        }
        return box.innerHTML;
    }"""
    assert mrkdwn.evaluate(draw, written) == drawn


@pytest.fixture(scope="module")
def mrkdwn(chromium: "Browser") -> Iterator["Page"]:
    with serve(gallery.CONFIG) as address:
        page = chromium.new_page()
        page.goto(f"{address}/as/ana/review")
        page.locator("body.ready").wait_for()
        yield page
        page.close()


@pytest.mark.slow
def test_every_block_is_drawn_and_an_unknown_one_shows_its_json(
    box: SandboxClient, web: WebClient, window: OpenWindow
) -> None:
    ana = window(box.address, "/as/ana/review")
    for blocks in gallery.MESSAGES:
        web.chat_postMessage(channel="C_REVIEW", text="blocks", blocks=blocks)
    ana.locator("article.message").nth(len(gallery.MESSAGES) - 1).wait_for()
    assert ana.locator(".unknown").count() == 0

    web.chat_postMessage(channel="C_REVIEW", text="a call", blocks=[{"type": "call", "call_id": "R123"}])
    unknown = last(ana).locator(".unknown")
    unknown.get_by_text("call", exact=True).wait_for()
    unknown.locator("summary").click()
    unknown.get_by_text('"R123"').wait_for()


@pytest.mark.slow
def test_hostile_text_stays_text(box: SandboxClient, web: WebClient, window: OpenWindow) -> None:
    ana = window(box.address, "/as/ana/review")
    blocks: list[dict[str, Any]] = [
        {"type": "section", "text": {"type": kind, "text": HOSTILE}} for kind in ("mrkdwn", "plain_text")
    ]
    blocks += [{"type": "header", "text": gallery.plain(HOSTILE)}, {"type": "markdown", "text": HOSTILE}]
    web.chat_postMessage(channel="C_REVIEW", text=HOSTILE)
    web.chat_postMessage(channel="C_REVIEW", text="x", blocks=blocks)
    last(ana).get_by_role("heading").wait_for()
    assert ana.evaluate("window.hit") is None
    assert ana.locator(".timeline img, .timeline script, .timeline a[href^=javascript]").count() == 0
    assert last(ana).get_by_text("onerror").count() == 4


@pytest.mark.slow
def test_a_form_of_every_input_sends_what_was_entered(
    box: SandboxClient, app: App, web: WebClient, window: OpenWindow
) -> None:
    sent: list[dict[str, Any]] = []

    def answer(ack: Ack, body: dict[str, Any]) -> None:
        sent.append(body["view"]["state"]["values"])
        ack() if len(sent) > 1 else ack(response_action="errors", errors={"number": "The app wants an even one."})

    def options(ack: Ack, payload: dict[str, Any]) -> None:
        ack(options=[gallery.option(payload["value"] + end) for end in ("-one", "-two")])

    def open_form(ack: Ack, body: dict[str, Any]) -> None:
        ack()
        web.views_open(trigger_id=body["trigger_id"], view=gallery.FORM)

    app.command("/loop")(open_form)
    app.view("form")(answer)
    app.options("entry")(options)
    ana = window(box.address, "/as/ana/review")
    field = ana.get_by_role("combobox", name="Message #review")
    field.fill("/loop ")
    field.press("Enter")
    form = ana.get_by_role("dialog", name="Every input")

    for block, typed in {"line": "one", "area": "two\nlines", "number": "7", "email": "a@b.cd"}.items():
        form.get_by_role("textbox", name=block, exact=True).fill(typed)
    form.get_by_label("date", exact=True).fill("2026-11-24")
    form.get_by_label("time", exact=True).fill("09:30")
    form.get_by_text("Second choice").click()
    form.get_by_text("Tick two").click()
    choose(form, "static", "Le", "Leek")
    choose(form, "several", "gr", "Green")
    choose(form, "external", "big", "big-two")
    choose(form, "user", "ben", "Ben Ott")
    choose(form, "channel", "", "#review")
    form.get_by_role("button", name="Send").click()

    form.get_by_text("The app wants an even one.").wait_for()
    number = form.get_by_role("textbox", name="number", exact=True)
    assert number.input_value() == "7"
    number.fill("8")
    form.get_by_role("button", name="Send").click()
    form.wait_for(state="hidden")
    assert {block: held(sent[1][block]["entry"]) for block in sent[1]} == {
        "line": "one",
        "area": "two\nlines",
        "number": "8",
        "email": "a@b.cd",
        "url": None,
        "date": "2026-11-24",
        "time": "09:30",
        "radio": "second",
        "boxes": ["two"],
        "static": "leek",
        "several": ["red", "green"],
        "external": "big-two",
        "user": "U_BEN",
        "channel": "C_REVIEW",
    }


def choose(form: "Locator", name: str, typed: str, option: str) -> None:
    field = form.get_by_role("combobox", name=name, exact=True)
    field.click()
    field.fill(typed)
    form.get_by_role("option", name=option).click()


def held(state: dict[str, Any]) -> Any:
    value = next(entry for name, entry in state.items() if name != "type")
    if isinstance(value, list):
        return [each["value"] for each in value]
    return value["value"] if isinstance(value, dict) else value


@pytest.mark.slow
def test_a_view_that_changes_keeps_what_was_typed_and_escape_closes_only_the_list(
    box: SandboxClient, app: App, web: WebClient, window: OpenWindow
) -> None:
    def open_form(ack: Ack, body: dict[str, Any]) -> None:
        ack()
        web.views_open(trigger_id=body["trigger_id"], view=gallery.CHANGING)

    def change(ack: Ack, body: dict[str, Any]) -> None:
        ack()
        chosen = body["actions"][0]["selected_option"]["value"]
        more = {"type": "section", "text": gallery.mrkdwn(f"You chose *{chosen}*")}
        view = {**gallery.CHANGING, "blocks": [*gallery.CHANGING["blocks"], more]}
        web.views_update(view_id=body["view"]["id"], view=view)

    app.command("/loop")(open_form)
    app.action("size")(change)
    ana = window(box.address, "/as/ana/review")
    box.person("ana").command("/loop", channel="review")
    form = ana.get_by_role("dialog", name="Changing")
    words = form.get_by_role("textbox", name="Words")
    words.fill("half a sen")
    form.get_by_role("combobox", name="Size").click()
    ana.keyboard.press("Escape")
    assert form.get_by_role("option").count() == 0
    choose(form, "Size", "la", "Large")
    form.get_by_text("You chose large").wait_for()
    assert words.input_value() == "half a sen"
    assert form.get_by_role("combobox", name="Size").input_value() == "Large"
    ana.keyboard.press("Escape")
    form.wait_for(state="hidden")
    assert box.person("ana").view is None


@pytest.mark.slow
def test_a_click_that_no_app_answers_says_so_at_its_button(
    box: SandboxClient, web: WebClient, window: OpenWindow
) -> None:
    ana = window(box.address, "/as/ana/review")
    confirm = {name: gallery.plain(name.title()) for name in ("title", "text", "confirm", "deny")}
    row = [gallery.button("Sure", confirm=confirm)]
    web.chat_postMessage(channel="C_REVIEW", text="x", blocks=[{"type": "actions", "elements": row}])
    last(ana).get_by_role("button", name="Sure").click()
    ana.get_by_role("dialog", name="Title").get_by_role("button", name="Deny").click()
    assert last(ana).get_by_role("alert").count() == 0
    last(ana).get_by_role("button", name="Sure").click()
    ana.get_by_role("dialog", name="Title").get_by_role("button", name="Confirm").click()
    last(ana).get_by_role("alert").get_by_text("This app is not responding.").wait_for()


@pytest.mark.slow
def test_people_write_reply_and_mention_each_other(box: SandboxClient, window: OpenWindow) -> None:
    ana, ben = window(box.address, "/as/ana/review"), window(box.address, "/as/ben/town")
    field = ana.get_by_role("combobox", name="Message #review")
    field.press_sequentially("Hello @be")
    ana.get_by_role("option", name="Ben Ott").wait_for()
    field.press("Enter")
    field.press_sequentially("see :tada: & <b>")
    field.press("Enter")
    last(ana).get_by_text("@Ben Ott").wait_for()
    assert box.person("ben").messages("review")[-1].text == "Hello <@U_BEN> see :tada: &amp; &lt;b&gt;"

    ben.get_by_role("link", name="review 1 unread").click()
    last(ben).get_by_text("@Ben Ott").wait_for()
    last(ben).hover()
    last(ben).get_by_role("button", name="Reply in a thread").click()
    reply = ben.get_by_role("complementary", name="Thread").get_by_role("combobox", name="Reply")
    reply.fill("Hello back")
    reply.press("Enter")
    last(ana).get_by_role("button", name="1 reply").click()
    ana.get_by_role("complementary", name="Thread").get_by_text("Hello back").wait_for()


@pytest.mark.slow
def test_an_answer_to_a_command_comes_into_view_wherever_one_was_reading(
    box: SandboxClient, app: App, window: OpenWindow
) -> None:
    app.command("/loop")(lambda ack: ack("Answered"))
    for number in range(60):
        box.person("ben").post("review", f"message {number}")
    ana = window(box.address, "/as/ana/review")
    last(ana).get_by_text("message 59").wait_for()
    messages = ana.get_by_role("region", name="Messages")
    messages.evaluate("box => { box.scrollTop = 0; }")
    ana.get_by_text("message 0", exact=True).wait_for()
    ana.wait_for_timeout(100)  # the page hears of the scrolling a frame later
    field = ana.get_by_role("combobox", name="Message #review")
    field.fill("/loop")
    field.press("Enter")
    last(ana).get_by_text("Answered").wait_for()
    left = "box => box.scrollHeight - box.scrollTop - box.clientHeight"
    box.wait_for(lambda: messages.evaluate(left) < 2, what="the end of the messages")


@pytest.mark.slow
def test_the_page_shows_who_was_added(box: SandboxClient, window: OpenWindow) -> None:
    box.kick("ben", "review")
    ana = window(box.address, "/as/ana/review")
    field = ana.get_by_role("combobox", name="Message #review")
    field.press_sequentially("/invite @be")
    ana.get_by_role("option", name="Ben Ott").wait_for()
    field.press("Enter")
    field.press("Enter")
    last(ana).get_by_text("was added to #review by Ana Lima.").wait_for()


@pytest.mark.slow
def test_one_click_acts_as_another_person_in_the_same_place(box: SandboxClient, window: OpenWindow) -> None:
    page = window(box.address, "/as/ana/review")
    page.get_by_role("link", name="Act as Ben Ott").click()
    page.wait_for_url("**/as/ben/review")
    page.get_by_text("You are").wait_for()


@pytest.mark.slow
def test_the_inspector_shows_a_call_with_its_answer(box: SandboxClient, web: WebClient, window: OpenWindow) -> None:
    ana = window(box.address, "/as/ana/review")
    ana.get_by_role("button", name="Inspector").click()
    web.chat_postMessage(channel="C_REVIEW", text="seen by the inspector")
    entry = ana.get_by_role("complementary", name="Inspector").locator(".entry", has_text="chat.postMessage")
    entry.locator("summary").first.click()
    entry.get_by_text('"seen by the inspector"').wait_for()


@pytest.mark.slow
@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_everything_has_a_name_and_nothing_hangs_over(
    box: SandboxClient, app: App, web: WebClient, window: OpenWindow, naming: str, size: tuple[int, int]
) -> None:
    def open_form(ack: Ack, body: dict[str, Any]) -> None:
        ack()
        web.views_open(trigger_id=body["trigger_id"], view=gallery.FORM)

    app.command("/loop")(open_form)
    for blocks in gallery.MESSAGES:
        web.chat_postMessage(channel="C_REVIEW", text="blocks", blocks=blocks)
    ana = window(box.address, "/as/ana/review", size)
    last(ana).wait_for()
    assert ana.evaluate(naming) == []
    assert ana.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box.person("ana").command("/loop", channel="review")
    ana.get_by_role("dialog").wait_for()
    assert ana.evaluate(naming) == []
    ana.goto(box.address)
    assert ana.evaluate(naming) == []
    assert ana.evaluate("document.documentElement.scrollWidth <= innerWidth")
