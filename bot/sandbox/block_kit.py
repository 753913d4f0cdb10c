"""Block Kit as tables: every block and element, with its properties and their limits.

The numbers: docs.slack.dev reference/block-kit (blocks, block-elements, composition-objects); they agree with
@slack/types 3.2.0 and slack_sdk 3.47. Names of properties: slack_sdk's models, which a test compares with these tables.
Where sources differ (data_table rows) the larger number holds here.
"""

from typing import Literal

from bot.sandbox.rules import Anything, Choice, Fields, Flag, Number, Rule, String, Text, Things, Typed

Surface = Literal["message", "modal", "home"]
BLOCKS_MOST: dict[Surface, int] = {"message": 50, "modal": 100, "home": 100}
MARKDOWN_MOST = 12_000  # characters of all markdown blocks of a message together
PLAIN = ("plain_text",)
ID = String(255, 1)
ANY = Anything()
LONG = 1_000_000  # no limit of its own

CONFIRM = Fields(
    {
        "title": Text(100, PLAIN),
        "text": Text(300),
        "confirm": Text(30, PLAIN),
        "deny": Text(30, PLAIN),
        "style": Choice(("primary", "danger")),
    },
    must=("title", "text", "confirm", "deny"),
)


def option(kinds: tuple[str, ...], *, url: bool = False) -> Rule:
    may: dict[str, Rule] = {"text": Text(75, kinds), "value": String(150, 1), "description": Text(75, kinds)}
    if url:
        may["url"] = String(3000)
    return Fields(may, must=("text", "value") if not url else ("text",))


OPTION = option(PLAIN)
RICH_OPTION = option(("plain_text", "mrkdwn"))  # options of radio buttons and checkboxes
GROUP = Fields({"label": Text(75, PLAIN), "options": Things(OPTION, 100)}, must=("label", "options"))
SLACK_FILE = Fields({"id": String(LONG), "url": String(LONG)}, one_of=("id", "url"))
IMAGE: dict[str, Rule] = {
    "type": ANY,
    "image_url": String(3000, 1),
    "slack_file": SLACK_FILE,
    "alt_text": String(2000),
}
FEEDBACK = Fields(
    {"text": Text(75, PLAIN), "value": String(2000), "accessibility_label": String(75)}, must=("text", "value")
)


def element(must: tuple[str, ...] = (), one_of: tuple[str, ...] = (), /, **may: Rule) -> Fields:
    """An interactive element; `confirm`, `placeholder` and `focus_on_load` mean the same in all of them."""
    common: dict[str, Rule] = {
        "type": ANY,
        "action_id": ID,
        "confirm": CONFIRM,
        "placeholder": Text(150, PLAIN),
        "focus_on_load": Flag(),
        "alt_text": ANY,
    }
    return Fields(common | may, must, one_of)


CHOICES: dict[str, Rule] = {"options": Things(OPTION, 100), "option_groups": Things(GROUP, 100)}
SEVERAL: dict[str, Rule] = {"max_selected_items": Number(1, 100)}
CONVERSATIONS: dict[str, Rule] = {"filter": ANY, "default_to_current_conversation": Flag()}
TYPED: dict[str, Rule] = {"initial_value": String(3000), "dispatch_action_config": ANY}
BUTTON: dict[str, Rule] = {
    "value": String(2000),
    "style": Choice(("primary", "danger")),
    "accessibility_label": String(75),
    "visible_to_user_ids": Things(String(LONG), 10, 0),
}

ELEMENTS: dict[str, Rule] = {
    "button": element(
        ("text",), text=Text(75, PLAIN), url=String(3000), agent_prompt=ANY, agent_prompt_display=ANY, **BUTTON
    ),
    "workflow_button": element(("text", "workflow"), text=Text(75, PLAIN), workflow=ANY, **BUTTON),
    "overflow": element(("options",), options=Things(option(PLAIN, url=True), 5)),
    "static_select": element((), ("options", "option_groups"), initial_option=OPTION, **CHOICES),
    "multi_static_select": element(
        (), ("options", "option_groups"), initial_options=Things(OPTION, 100), **CHOICES, **SEVERAL
    ),
    "external_select": element(initial_option=OPTION, min_query_length=Number(0, 255)),
    "multi_external_select": element(initial_options=Things(OPTION, 100), min_query_length=Number(0, 255), **SEVERAL),
    "users_select": element(initial_user=String(LONG)),
    "multi_users_select": element(initial_users=Things(String(LONG), 100), **SEVERAL),
    "conversations_select": element(initial_conversation=String(LONG), response_url_enabled=Flag(), **CONVERSATIONS),
    "multi_conversations_select": element(initial_conversations=Things(String(LONG), 100), **CONVERSATIONS, **SEVERAL),
    "channels_select": element(initial_channel=String(LONG), response_url_enabled=Flag()),
    "multi_channels_select": element(initial_channels=Things(String(LONG), 100), **SEVERAL),
    "radio_buttons": element(("options",), options=Things(RICH_OPTION, 10), initial_option=RICH_OPTION),
    "checkboxes": element(("options",), options=Things(RICH_OPTION, 10), initial_options=Things(RICH_OPTION, 10)),
    "datepicker": element(initial_date=String(10, pattern=r"\d{4}-\d\d-\d\d")),
    "timepicker": element(initial_time=String(5, pattern=r"[0-2]\d:[0-5]\d"), timezone=String(LONG)),
    "datetimepicker": element(initial_date_time=Number(1_000_000_000, 9_999_999_999)),
    "plain_text_input": element(multiline=Flag(), min_length=Number(0, 3000), max_length=Number(1, 3000), **TYPED),
    "number_input": element(
        ("is_decimal_allowed",), is_decimal_allowed=Flag(), min_value=String(LONG), max_value=String(LONG), **TYPED
    ),
    "email_text_input": element(**TYPED),
    "url_text_input": element(**TYPED),
    "rich_text_input": element(
        initial_value=ANY, dispatch_action_config=ANY, min_lines=Number(1, 100), max_lines=Number(1, 100)
    ),
    "file_input": element(filetypes=Things(String(LONG), 100), max_files=Number(1, 10)),
    "image": Fields(IMAGE, ("alt_text",), ("image_url", "slack_file")),
    "feedback_buttons": element(
        ("positive_button", "negative_button"), positive_button=FEEDBACK, negative_button=FEEDBACK
    ),
    "icon_button": element(("text", "icon"), text=Text(75, PLAIN), icon=Choice(("trash",)), **BUTTON),
}
SELECTS = tuple(name for name in ELEMENTS if name.endswith("_select"))
PICKERS = ("datepicker", "timepicker", "radio_buttons", "checkboxes")
PRESSED = ("button", "workflow_button", "overflow")
IN_ACTIONS = (*PRESSED, *SELECTS, *PICKERS, "datetimepicker", "rich_text_input")
IN_SECTION = (*PRESSED, *SELECTS, *PICKERS, "image")
IN_INPUT = (
    *SELECTS,
    *PICKERS,
    "datetimepicker",
    "plain_text_input",
    "number_input",
    "email_text_input",
    "url_text_input",
    "rich_text_input",
    "file_input",
)
IN_CONTEXT: dict[str, Rule] = {"image": ELEMENTS["image"], "plain_text": Text(LONG), "mrkdwn": Text(LONG)}


def block(must: tuple[str, ...] = (), one_of: tuple[str, ...] = (), /, **may: Rule) -> Fields:
    return Fields({"type": ANY, "block_id": ID, **may}, must, one_of)


CARD = block(
    (),
    ("hero_image", "title", "actions", "body"),
    hero_image=ELEMENTS["image"],
    icon=ELEMENTS["image"],
    title=Text(150),
    subtitle=Text(150),
    body=Text(200),
    actions=Things(Typed(ELEMENTS, PRESSED), 3),
)
TASK_CARD = block(
    ("task_id", "title", "status"),
    task_id=String(255, 1),
    title=String(LONG, 1),
    details=ANY,
    output=ANY,
    sources=ANY,
    status=Choice(("pending", "in_progress", "complete", "error")),
)
BLOCKS: dict[str, Rule] = {
    "section": block(
        (),
        ("text", "fields"),
        text=Text(3000),
        fields=Things(Text(2000), 10),
        accessory=Typed(ELEMENTS, IN_SECTION),
        expand=Flag(),
    ),
    "divider": block(),
    "header": block(("text",), text=Text(150, PLAIN)),
    "context": block(("elements",), elements=Things(Typed(IN_CONTEXT), 10)),
    "actions": block(("elements",), elements=Things(Typed(ELEMENTS, IN_ACTIONS), 25)),
    "context_actions": block(("elements",), elements=Things(Typed(ELEMENTS, ("feedback_buttons", "icon_button")), 5)),
    "image": Fields(IMAGE | {"block_id": ID, "title": Text(2000, PLAIN)}, ("alt_text",), ("image_url", "slack_file")),
    "input": block(
        ("label", "element"),
        label=Text(2000, PLAIN),
        hint=Text(2000, PLAIN),
        element=Typed(ELEMENTS, IN_INPUT),
        optional=Flag(),
        dispatch_action=Flag(),
    ),
    "rich_text": block(("elements",), elements=Things(ANY, LONG, 0)),
    "markdown": block(("text",), text=String(MARKDOWN_MOST, 1)),
    "table": block(("rows",), rows=Things(Things(ANY, 20), 100), column_settings=Things(ANY, 20, 0)),
    "file": block(("external_id", "source"), external_id=String(LONG), source=Choice(("remote",))),
    "video": block(
        ("alt_text", "title", "thumbnail_url", "video_url"),
        alt_text=String(2000),
        author_name=String(50),
        description=Text(200, PLAIN),
        provider_icon_url=String(3000),
        provider_name=String(LONG),
        title=Text(200, PLAIN),
        title_url=String(3000),
        thumbnail_url=String(3000),
        video_url=String(3000),
    ),
    "task_card": TASK_CARD,
    "plan": block(("title",), title=String(LONG, 1), tasks=Things(TASK_CARD, 50)),
    "card": CARD,
    "carousel": block(("elements",), elements=Things(Typed({"card": CARD}), 10)),
    "alert": block(("text",), text=Text(200), level=Choice(("default", "info", "warning", "error", "success"))),
    "data_table": Fields({"block_id": ID, "rows": Things(ANY, 201, 2)}, ("caption", "rows"), only=False),
    "data_visualization": Fields({"block_id": ID}, ("title",), only=False),
    "call": block(("call_id",), call_id=String(LONG), call=ANY, api_decoration_available=Flag()),
    "auth_provider": Fields({"block_id": ID}, ("value", "name", "is_connected"), only=False),
}
IN_CONTAINER = tuple(BLOCKS)
BLOCKS["container"] = block(
    ("child_blocks",),
    ("title", "rich_text_title"),
    title=Text(150, PLAIN),
    rich_text_title=ANY,
    subtitle=Text(150),
    child_blocks=Things(Typed(BLOCKS, IN_CONTAINER), 10),
    width=Choice(("narrow", "standard", "wide", "full")),
    icon=ELEMENTS["image"],
    is_collapsible=Flag(),
    default_collapsed=Flag(),
    has_header_divider=Flag(),
)

# Blocks that only some surfaces allow (slackblocks 3.0.0 _surfaces.py; alert: node-slack-sdk #2567).
SURFACES: dict[str, tuple[Surface, ...]] = {
    "context_actions": ("message",),
    "markdown": ("message",),
    "table": ("message", "home"),
    "task_card": ("message",),
    "plan": ("message",),
    "carousel": ("message", "home"),
    "container": ("message", "home"),
    "alert": ("modal",),
    "data_table": ("message", "home"),
    "data_visualization": ("message", "home"),
    "file": ("message",),
    "call": ("message",),
}
VIEW = Fields(
    {
        "title": Text(24, PLAIN),
        "submit": Text(24, PLAIN),
        "close": Text(24, PLAIN),
        "private_metadata": String(3000),
        "callback_id": String(255),
        "external_id": String(255),
        "clear_on_close": Flag(),
        "notify_on_close": Flag(),
        "submit_disabled": Flag(),
    },
    ("type", "blocks"),
    only=False,
)
