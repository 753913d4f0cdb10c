"""Block Kit's limits (docs.slack.dev reference/block-kit). Each row: what is one too much, and where Slack points."""

import inspect
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import block_elements, blocks

from bot.sandbox.block_kit import BLOCKS, ELEMENTS, Surface
from bot.sandbox.limits import validate
from bot.sandbox.rules import Fields
from bot.sandbox.wire import Json
from tests.sandbox.conftest import actions, button, code, modal, note, text


def options(number: int, length: int = 1) -> list[Json]:
    return [{"text": text("x" * length), "value": str(index)} for index in range(number)]


def select(**more: object) -> Json:
    return {"type": "static_select", "action_id": "pick", "placeholder": text("Pick"), **more}


def section(**more: object) -> Json:
    return {"type": "section", "text": text("Hi", "mrkdwn"), **more}


GOOD: list[tuple[Surface, list[Json]]] = [
    ("message", [section(), {"type": "divider"}, {"type": "header", "text": text("H" * 150)}]),
    ("message", [section(text=text("x" * 3000, "mrkdwn"), fields=[text("y" * 2000)] * 10)]),
    ("message", [actions(*[button(str(index), "x" * 75, value="v" * 2000) for index in range(25)])]),
    ("message", [actions(select(options=options(100, 75)))]),
    ("message", [actions(select(option_groups=[{"label": text("G"), "options": options(100)}] * 100))]),
    ("message", [{"type": "table", "rows": [[{"type": "raw_text", "text": "a"}] * 20] * 100}]),
    ("message", [{"type": "data_visualization", "title": "A chart", "chart": {"type": "line"}}] * 2),
    ("modal", [note(), {"type": "alert", "text": text("Careful"), "level": "warning"}]),
    ("home", [section()] * 100),
    ("message", [{"type": "container", "title": text("More"), "is_collapsible": True, "child_blocks": [section()]}]),
]
BAD: list[tuple[Surface, list[Json], str, str]] = [
    ("message", [section()] * 51, "no more than 50 items", "/blocks"),
    ("modal", [section()] * 101, "no more than 100 items", "/blocks"),
    ("home", [section()] * 101, "no more than 100 items", "/blocks"),
    ("message", [{"type": "section"}], "must define either text or fields", "/blocks/0"),
    ("message", [section(text=text("x" * 3001))], "less than 3001", "/blocks/0/text/text"),
    ("message", [section(text=text(""))], "more than 0 characters", "/blocks/0/text/text"),
    ("message", [section(fields=[text("x" * 2001)])], "less than 2001", "/blocks/0/fields/0/text"),
    ("message", [section(fields=[text("x")] * 11)], "no more than 10 items", "/blocks/0/fields"),
    ("message", [{"type": "header", "text": text("x" * 151)}], "less than 151", "/blocks/0/text/text"),
    ("message", [{"type": "header", "text": text("x", "mrkdwn")}], "plain_text", "/blocks/0/text/type"),
    ("message", [{"type": "context", "elements": [text("x")] * 11}], "no more than 10", "/blocks/0/elements"),
    ("message", [actions(*[button(str(n), "x") for n in range(26)])], "no more than 25", "/blocks/0/elements"),
    ("message", [actions(button("a", "x" * 76))], "less than 76", "/blocks/0/elements/0/text/text"),
    ("message", [actions(button("a", "x", value="v" * 2001))], "less than 2001", "/blocks/0/elements/0/value"),
    ("message", [actions(button("a", "x", style="loud"))], "valid enum value", "/blocks/0/elements/0/style"),
    ("message", [actions(button("a" * 256, "x"))], "less than 256", "/blocks/0/elements/0/action_id"),
    ("message", [section(block_id="b" * 256)], "less than 256", "/blocks/0/block_id"),
    ("message", [actions(select(options=options(101)))], "no more than 100", "/blocks/0/elements/0/options"),
    ("message", [actions(select(options=options(1, 76)))], "less than 76", "/blocks/0/elements/0/options/0/text/text"),
    ("message", [actions(select())], "options or option_groups", "/blocks/0/elements/0"),
    (
        "message",
        [actions(select(options=[{"text": text("a"), "value": "v" * 151}]))],
        "less than 151",
        "/blocks/0/elements/0/options/0/value",
    ),
    (
        "message",
        [actions(select(options=options(2), initial_option={"text": text("z"), "value": "z"}))],
        "initial option must match",
        "/blocks/0",
    ),
    (
        "message",
        [actions({"type": "radio_buttons", "action_id": "r", "options": options(11)})],
        "no more than 10",
        "/blocks/0/elements/0/options",
    ),
    (
        "message",
        [actions({"type": "checkboxes", "action_id": "r", "options": options(11)})],
        "no more than 10",
        "/blocks/0/elements/0/options",
    ),
    (
        "message",
        [section(accessory={"type": "overflow", "action_id": "o", "options": options(6)})],
        "no more than 5",
        "/blocks/0/accessory/options",
    ),
    (
        "message",
        [actions(select(options=options(1), placeholder=text("x" * 151)))],
        "less than 151",
        "/placeholder/text",
    ),
    ("message", [section(block_id="same"), section(block_id="same")], "`block_id` must be unique", "/blocks"),
    ("message", [actions(button("a", "x"), button("a", "y"))], "`action_id` must be unique", "/blocks/0"),
    ("message", [{"type": "markdown", "text": "x" * 12_001}], "less than 12001", "/blocks/0/text"),
    ("message", [{"type": "markdown", "text": "x" * 6_001}] * 2, "12001 characters together", "/blocks"),
    ("modal", [{"type": "markdown", "text": "x"}], "unsupported type: markdown", "/blocks/0/type"),
    ("message", [{"type": "alert", "text": text("x")}], "unsupported type: alert", "/blocks/0/type"),
    ("home", [{"type": "task_card", "task_id": "1", "title": "t", "status": "error"}], "unsupported", "/blocks/0/type"),
    ("message", [{"type": "table", "rows": [[]] * 101}], "no more than 100", "/blocks/0/rows"),
    ("message", [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * 21]}], "no more than 20", "/rows/0"),
    (
        "message",
        [{"type": "table", "rows": [[{"type": "raw_text", "text": "x" * 10_001}]]}],
        "10001 characters together",
        "/blocks",
    ),
    ("message", [{"type": "data_visualization", "title": "t"}] * 3, "no more than 2 data_vis", "/blocks"),
    (
        "message",
        [{"type": "image", "image_url": "https://x.test/a.png"}],
        "missing required field: alt_text",
        "/blocks/0",
    ),
    ("message", [{"type": "image", "alt_text": "a"}], "image_url or slack_file", "/blocks/0"),
    ("message", [{"type": "sausage"}], "unsupported type: sausage", "/blocks/0/type"),
    ("message", [{}], "missing required field: type", "/blocks/0"),
    ("message", [section(colour="red")], "invalid additional property: colour", "/blocks/0"),
    ("message", [actions(note()["element"])], "unsupported type: plain_text_input", "/blocks/0/elements/0/type"),
    ("modal", [note(max_length=3001)], "must be between 1 and 3000", "/blocks/0/element/max_length"),
    ("message", [note() | {"element": {"type": "file_input", "action_id": "f"}}], "unsupported type: file_input", ""),
]


@pytest.mark.parametrize(("surface", "given"), GOOD)
def test_slack_takes_what_is_just_within_the_limits(surface: Surface, given: list[Json]) -> None:
    assert validate(given, surface) == []


@pytest.mark.parametrize(("surface", "given", "sentence", "pointer"), BAD)
def test_slack_refuses_what_is_just_beyond(surface: Surface, given: list[Json], sentence: str, pointer: str) -> None:
    errors = validate(given, surface)
    assert any(sentence in error and pointer in error for error in errors), errors


@pytest.mark.parametrize("module", [blocks, block_elements])
def test_every_property_that_slack_sdk_knows_is_in_the_tables(module: Any) -> None:
    known: dict[str, Any] = {**ELEMENTS, **BLOCKS} if module is block_elements else {**BLOCKS}
    for _, model in inspect.getmembers(module, inspect.isclass):
        kind = getattr(model, "type", None)
        rule = known.get(kind) if isinstance(kind, str) else None
        if model.__module__ != module.__name__ or model.__name__ in ("LinkButtonElement",):
            continue
        attributes: Any = model.__dict__.get("attributes")
        if isinstance(rule, Fields) and rule.only and isinstance(attributes, property):
            missing = set(attributes.__get__(model.__new__(model))) - set(rule.may)
            assert not missing, f"{kind}: {missing}"


def test_an_app_gets_the_sentences_with_pointers(web: WebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        web.chat_postMessage(channel="C_REVIEW", text="x", blocks=[{"type": "header", "text": text("x" * 151)}])
    assert code(refused.value) == "invalid_blocks"
    assert refused.value.response["response_metadata"]["messages"] == [
        "[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]"
    ]


def test_many_characters_of_blocks_are_refused_though_each_block_is_fine(web: WebClient) -> None:
    """bolt-js #2509: msg_blocks_too_long from about 13,200 characters."""
    big = [section(text=text("x" * 2900, "mrkdwn")) for _ in range(5)]
    with pytest.raises(SlackApiError) as refused:
        web.chat_postMessage(channel="C_REVIEW", text="x", blocks=big)
    assert code(refused.value) == "msg_blocks_too_long"


VIEWS: list[tuple[str, Json]] = [
    ("/view/title/text", modal(note(), title=text("x" * 25))),
    ("/view/submit/text", modal(note(), submit=text("x" * 25))),
    ("/view/private_metadata", modal(note(), private_metadata="x" * 3001)),
    ("/view/callback_id", modal(note(), callback_id="x" * 256)),
    ("missing required field: submit", {name: value for name, value in modal(note()).items() if name != "submit"}),
    ("missing required field: title", {name: value for name, value in modal(note()).items() if name != "title"}),
    ("/view/type", modal(note(), type="home")),
]


@pytest.mark.parametrize(("pointer", "view"), VIEWS)
def test_a_view_beyond_the_limits_is_an_invalid_argument(web: WebClient, pointer: str, view: Json) -> None:
    with pytest.raises(SlackApiError) as refused:
        web.views_open(trigger_id="any", view=view)
    assert code(refused.value) == "invalid_arguments"
    assert any(pointer in each for each in refused.value.response["response_metadata"]["messages"])


def test_a_view_of_more_than_250_kilobytes_is_too_large(web: WebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        web.views_open(trigger_id="any", view=modal(*[section(text=text("x" * 2900)) for _ in range(90)]))
    assert code(refused.value) == "view_too_large"
