"""One of everything: blocks, inputs and lines of mrkdwn with what they become."""

from typing import Any

from bot.sandbox.config import AppConfig, ChannelConfig, CommandConfig, PersonConfig, SandboxConfig

Block = dict[str, Any]

CONFIG = SandboxConfig(
    people=(PersonConfig("U_ANA", "ana", "Ana Lima"), PersonConfig("U_BEN", "ben", "Ben Ott")),
    channels=(
        ChannelConfig("C_REVIEW", "review", members=("ana", "ben", "A_LOOP")),
        ChannelConfig("C_TOWN", "town", members=("ben",)),
    ),
    apps=(AppConfig("A_LOOP", "loop", commands=(CommandConfig("/loop", "Opens a form"),)),),
    rates=False,
)

# docs.slack.dev messaging/formatting-message-text; attributes but href are left out
MRKDWN = (
    ("*bold* _italic_ ~struck~ `code`", "<strong>bold</strong> <em>italic</em> <s>struck</s> <code>code</code>"),
    ("*bold _and italic_ too*", "<strong>bold <em>and italic</em> too</strong>"),
    ("2*3*4 snake_case_word a~b~c", "2*3*4 snake_case_word a~b~c"),
    ("* not bold* *nor this *", "* not bold* *nor this *"),
    ("*one line\nonly*", "*one line<br>only*"),
    ("*\u200bbroken by an app*", "*\u200bbroken by an app*"),
    ("(*in brackets*), _then_.", "(<strong>in brackets</strong>), <em>then</em>."),
    ("`*code* <@U_BEN>`", "<code>*code* <span>@Ben Ott</span></code>"),
    ("a\n```\nx *y*\n  z\n```\nb", "a<br><pre>x *y*\n  z</pre>b"),
    ("&gt; quoted\n&gt; *twice*\nnot", "<blockquote>quoted<br><strong>twice</strong></blockquote>not"),
    ("&gt;&gt;&gt; all\nof it", "<blockquote>all<br>of it</blockquote>"),
    ("<@U_BEN> <@U_NONE|zoe> <!here>", "<span>@Ben Ott</span> <span>@zoe</span> <span>@here</span>"),
    ("<!subteam^S1|@leads> <#C_NONE|there>", "<span>@leads</span> <span>#there</span>"),
    ("<#C_REVIEW>", "<button>#review</button>"),
    ("<https://e.org/?a=1&amp;b=2|a *link*>", '<a href="https://e.org/?a=1&amp;b=2">a *link*</a>'),
    ("<https://e.org>", '<a href="https://e.org/">https://e.org</a>'),
    ("see https://e.org/x.", 'see <a href="https://e.org/x">https://e.org/x</a>.'),
    ("<mailto:a@b.cd|a@b.cd>", '<a href="mailto:a@b.cd">a@b.cd</a>'),
    ("<javascript:alert(1)|press>", "<span>press</span>"),
    ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
    ("&amp;lt; &lt;b&gt; &copy;", "&amp;lt; &lt;b&gt; &amp;copy;"),
    (":tada: :no_such_emoji: 10:30:15", "<span>🎉</span> :no_such_emoji: 10:30:15"),
    (":+1::skin-tone-4:", "<span>👍🏽</span>"),
    ("<!date^0^{date_num} {time_secs}|then>", "<time>1970-01-01 00:00:00</time>"),
    ("<!date^0^{date_short}^https://e.org|then>", '<a href="https://e.org/"><time>1 Jan 1970</time></a>'),
    ("• one\n• two", "<span><span>•</span><span>one</span></span><span><span>•</span><span>two</span></span>"),
)


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text[:150]}


def mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def option(text: str, value: str | None = None) -> Block:
    return {"text": plain(text), "value": value or text.lower()}


def options(*texts: str) -> list[Block]:
    return [option(text) for text in texts]


def button(text: str, **more: Any) -> Block:
    return {"type": "button", "text": plain(text), "action_id": text.lower(), **more}


def _words(text: str, **style: bool) -> Block:
    return {"type": "text", "text": text, "style": style} if style else {"type": "text", "text": text}


def _line(*elements: Block) -> Block:
    return {"type": "rich_text_section", "elements": list(elements)}


GROUPS = [
    {"label": plain("Fruit"), "options": options("Apple")},
    {"label": plain("Greens"), "options": options("Leek")},
]
CARD = {"type": "card", "title": mrkdwn("A card"), "body": mrkdwn("*Body*"), "actions": [button("Act")]}
TASK = {"type": "task_card", "task_id": "1", "title": "Train", "status": "complete"}
CELL = {"type": "raw_text", "text": "cell"}

CONTROLS: list[Block] = [
    button("Yes", style="primary"),
    button("No", style="danger"),
    button("Read", url="https://example.org"),
    {"type": "overflow", "action_id": "more", "options": options("Edit", "Remove")},
    {"type": "static_select", "action_id": "static", "placeholder": plain("Pick"), "option_groups": GROUPS},
    {"type": "multi_static_select", "action_id": "several", "placeholder": plain("Some"), "options": options("A", "B")},
    {"type": "external_select", "action_id": "external", "placeholder": plain("Type")},
    {"type": "multi_external_select", "action_id": "externals", "placeholder": plain("Type")},
    {"type": "users_select", "action_id": "user", "placeholder": plain("Who?"), "initial_user": "U_BEN"},
    {"type": "multi_users_select", "action_id": "users", "placeholder": plain("Who?")},
    {"type": "conversations_select", "action_id": "place", "placeholder": plain("Where?")},
    {"type": "channels_select", "action_id": "channel", "placeholder": plain("Where?")},
    {"type": "datepicker", "action_id": "date", "initial_date": "2026-11-24"},
    {"type": "timepicker", "action_id": "time"},
    {"type": "datetimepicker", "action_id": "moment"},
    {"type": "radio_buttons", "action_id": "radio", "options": options("Left", "Right")},
    {"type": "checkboxes", "action_id": "boxes", "options": options("One", "Two")},
]
RICH: list[Block] = [
    _line(_words("bold", bold=True), _words("both", italic=True, strike=True), {"type": "user", "user_id": "U_BEN"}),
    {"type": "rich_text_list", "style": "bullet", "elements": [_line(_words("a")), _line(_words("b"))]},
    {"type": "rich_text_list", "style": "ordered", "indent": 1, "elements": [_line(_words("c"))]},
    {
        "type": "rich_text_quote",
        "elements": [{"type": "emoji", "name": "wave"}, {"type": "broadcast", "range": "here"}],
    },
    {"type": "rich_text_preformatted", "elements": [{"type": "link", "url": "https://e.org"}]},
]
MARKDOWN = """# Title

Some **bold**, *it*, `code`, [a link](https://e.org).

- a
  - b

| A | B |
|---|--:|
| 1 | 2 |
"""
BIN = {"type": "icon_button", "icon": "trash", "text": plain("Remove"), "action_id": "bin"}
FEEDBACK = {
    "type": "feedback_buttons",
    "action_id": "feedback",
    "positive_button": {"text": plain("Good"), "value": "1"},
    "negative_button": {"text": plain("Bad"), "value": "0"},
}
MESSAGES: list[list[Block]] = [
    [
        {"type": "header", "text": plain("A header :tada:")},
        {"type": "section", "text": mrkdwn("*Text*"), "accessory": button("Beside")},
        {"type": "section", "fields": [mrkdwn("*Name*\nLamp"), plain("Price")]},
        {"type": "divider"},
        {"type": "context", "elements": [mrkdwn("small"), plain("words")]},
    ],
    [{"type": "actions", "elements": CONTROLS}],
    [{"type": "rich_text", "elements": RICH}],
    [{"type": "markdown", "text": MARKDOWN}],
    [{"type": "table", "rows": [[CELL, CELL], [CELL, {"type": "rich_text", "elements": [_line(_words("rich"))]}]]}],
    [{"type": "data_table", "caption": plain("Numbers"), "rows": [[CELL]] * 8}],
    [CARD],
    [{"type": "carousel", "elements": [CARD, {**CARD, "actions": [button("Other")]}]}],
    [{"type": "container", "title": plain("Held"), "is_collapsible": True, "child_blocks": [{"type": "divider"}]}],
    [{"type": "plan", "title": "Plan", "tasks": [TASK]}, TASK],
    [{"type": "context_actions", "elements": [FEEDBACK, BIN]}],
]

_INPUTS: dict[str, Block] = {
    "line": {"type": "plain_text_input"},
    "area": {"type": "plain_text_input", "multiline": True},
    "number": {"type": "number_input", "is_decimal_allowed": False},
    "email": {"type": "email_text_input"},
    "url": {"type": "url_text_input"},
    "date": {"type": "datepicker"},
    "time": {"type": "timepicker"},
    "radio": {"type": "radio_buttons", "options": [option("First choice", "first"), option("Second choice", "second")]},
    "boxes": {"type": "checkboxes", "options": [option("Tick one", "one"), option("Tick two", "two")]},
    "static": {"type": "static_select", "option_groups": GROUPS},
    "several": {
        "type": "multi_static_select",
        "options": options("Red", "Green"),
        "initial_options": options("Red"),
    },
    "external": {"type": "external_select", "min_query_length": 1},
    "user": {"type": "users_select"},
    "channel": {"type": "channels_select"},
}
FORM: Block = {
    "type": "modal",
    "callback_id": "form",
    "title": plain("Every input"),
    "submit": plain("Send"),
    "blocks": [
        {
            "type": "input",
            "block_id": name,
            "label": plain(name),
            "optional": name == "url",
            "element": {**element, "action_id": "entry"},
        }
        for name, element in _INPUTS.items()
    ],
}

CHANGING: Block = {
    "type": "modal",
    "callback_id": "changing",
    "title": plain("Changing"),
    "submit": plain("Send"),
    "blocks": [
        {
            "type": "input",
            "block_id": "words",
            "label": plain("Words"),
            "element": {"type": "plain_text_input", "action_id": "words"},
        },
        {
            "type": "input",
            "block_id": "size",
            "label": plain("Size"),
            "dispatch_action": True,
            "element": {"type": "static_select", "action_id": "size", "options": options("Small", "Large")},
        },
    ],
}
