"""Block Kit's limits and escaping: Slack accepts any content, and no content has an effect."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.block_kit import Surface
from bot.sandbox.limits import validate
from bot.slack import blocks
from bot.slack.blocks import Block
from tests.bot.hostile import HOSTILE, live_marks

MOST = 13_000  # characters of JSON, above which Slack was seen to refuse a message

texts = st.text(max_size=200) | st.sampled_from(HOSTILE)
ALL_LONG = "x" * 5000
SHORT = "yes"
LONG = "https://desk.example/" + "x" * 80
PIECES = ["https://", "a.example", "<", "|", ">", "@", "/", " ", "!channel", "\u00e9"]


def problems(drawn: list[Block], surface: Surface = "message") -> list[str]:
    return validate(drawn, surface)


MADE: list[tuple[str, Any]] = [
    ("header", lambda text: [blocks.header(text)]),
    ("section", lambda text: [blocks.section(text)]),
    ("section with a button", lambda text: [blocks.section(text, blocks.button(text, "a", text))]),
    ("verbatim", lambda text: [blocks.verbatim(text)]),
    ("fields", lambda text: blocks.fields([(text, text)] * 23)),
    ("context", lambda text: [blocks.context(*[text] * 15)]),
    ("image", lambda text: [blocks.image("https://files.example/A.png", text)]),
    ("buttons", lambda text: blocks.actions(*(blocks.button(text, f"a:{n}", text, "danger", text) for n in range(60)))),
]
INPUTS: list[tuple[str, Any]] = [
    (
        "a choice",
        lambda text: blocks.static_select("a", [blocks.option(text, f"v{n}", text) for n in range(150)], text),
    ),
    ("a search", lambda text: blocks.external_select("a", text, blocks.option(text, "v", text))),
    ("a text", lambda text: blocks.text_input("a", initial=text, most=9_000)),
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize(("name", "make"), MADE, ids=[name for name, _make in MADE])
def test_slack_takes_each_block_with_any_text(name: str, make: Any, text: str) -> None:
    assert problems(make(text)) == []


@pytest.mark.parametrize(("name", "make"), INPUTS, ids=[name for name, _make in INPUTS])
def test_slack_takes_each_input_with_any_text(name: str, make: Any) -> None:
    for text in HOSTILE:
        form = [blocks.form_input("b", text, make(text), hint=text)]
        assert problems(form, "modal") == []


def test_what_is_too_long_is_shortened_where_one_sees_it() -> None:
    assert blocks.shorten("abc", 3) == "abc"
    assert blocks.shorten("abcd", 3) == "ab…"
    assert blocks.button(ALL_LONG, "a", "1")["text"]["text"] == "x" * 74 + "…"
    assert blocks.header(ALL_LONG)["text"]["text"] == "x" * 149 + "…"
    assert len(blocks.section(ALL_LONG)["text"]["text"]) == 3000
    assert len(blocks.option(ALL_LONG, ALL_LONG)["value"]) == 150


def test_an_empty_text_is_drawn_as_a_blank_since_slack_takes_no_empty_one() -> None:
    assert problems([blocks.header(""), blocks.section(""), blocks.verbatim(""), blocks.context("")]) == []


@given(texts)
def test_no_mention_link_or_command_comes_out_of_a_strangers_text(text: str) -> None:
    for safe in (blocks.escape(text), blocks.literal(text)):
        assert live_marks(safe) == []


@given(st.text(alphabet="*_~`:ab <>&", max_size=40))
def test_a_literal_text_has_no_mark_that_slack_would_format(text: str) -> None:
    drawn = blocks.literal(text)
    assert drawn.replace("\u200b", "") == blocks.escape(text)
    for mark in "*_~`:":
        assert drawn.count(mark) == drawn.count(mark + "\u200b")


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("https://desk.example/7", "<https://desk.example/7>"),
        ("(see HTTP://desk.example/a_b*c).", "(see <HTTP://desk.example/a_b*c>)."),
        ("https://a.example https://b.example!", "<https://a.example> <https://b.example>!"),
        ("https://desk.example/?a=1&b=2", "<https://desk.example/?a=1&amp;b=2>"),
        ("<https://evil.example|safe>", "&lt;<https://evil.example>|safe&gt;"),
        ("https://desk.example/K\u00e4se\u202e", "<https://desk.example/K%C3%A4se%E2%80%AE>"),
        ("https://bank.example@evil.example/", "https:\u200b//bank.example@evil.example/"),
        ("https://b\u0430nk.example", "https:\u200b//b\u0430nk.example"),
        ("http://[1 http://:0/ ftp://a.example", "http:\u200b//[1 http:\u200b//:\u200b0/ ftp:\u200b//a.example"),
        ("javascript:alert(1) <!channel>", "javascript:\u200balert(1) &lt;!channel&gt;"),
        (LONG, f"<{LONG}|https:\u200b//desk.example/{'x' * 58}…>"),
        ("https://desk.example/" + "x" * 2000, "https:\u200b//desk.example/" + "x" * 2000),
    ],
)  # fmt: skip
def test_a_web_address_becomes_a_link_and_nothing_else_does(text: str, drawn: str) -> None:
    assert blocks.linked(text) == drawn


LINK = re.compile(r"<(https?://[!-~]+?)(?:\|[^<>|]*)?>", re.IGNORECASE)


@given(
    texts
    | st.lists(st.sampled_from(["https://", "a.example", "<", "|", ">", "@", "/", " ", "!channel", "é"])).map("".join)
)
def test_a_strangers_link_shows_where_it_leads_and_is_no_other_mark(text: str) -> None:
    drawn = blocks.linked(text)
    assert "<" not in LINK.sub("", drawn)
    for found in LINK.finditer(drawn):
        shown = found[0][1:-1].split("|")[-1].replace("\u200b", "").removesuffix("…")
        assert found[1].startswith(shown)
        assert len(found[0]) <= blocks.LONGEST_LINK + 2


@pytest.mark.parametrize("most", range(1, 60))
def test_a_mark_is_never_cut_in_two(most: int) -> None:
    text = f"a & b <@U1> {blocks.linked('https://desk.example/7?a&b')} &lt;"
    cut = blocks.shorten_marked(text, most)
    assert len(cut) <= most
    assert cut.count("<") == cut.count(">")
    assert text.startswith(cut.removesuffix("…"))


def test_a_mention_of_ours_is_live() -> None:
    assert blocks.mention("U1") == "<@U1>"
    assert live_marks(blocks.mention("U1"))


@pytest.mark.slow
@given(st.lists(st.tuples(st.sampled_from(["section", "fields", "verbatim", "context"]), texts), max_size=30), texts)
def test_a_message_always_fits(parts: list[tuple[str, str]], spoken: str) -> None:
    make: dict[str, Any] = {
        "section": lambda text: [blocks.section(blocks.literal(text))],
        "verbatim": lambda text: [blocks.verbatim(text)],
        "fields": lambda text: blocks.fields([(text, text)] * 5),
        "context": lambda text: [blocks.context(*[text] * 10)],
    }
    drawn = [block for kind, text in parts for block in make[kind](text)]
    message = blocks.message(spoken, drawn)
    assert len(message.blocks) <= 50
    assert len(json.dumps(message.blocks)) < MOST
    assert len(message.text) <= 3500
    assert message.blocks == [] or problems(message.blocks) == []


def test_what_fits_is_not_touched() -> None:
    drawn = [blocks.section("short"), blocks.verbatim("x" * 3000), blocks.divider()]
    assert blocks.message("short", drawn).blocks == [
        blocks.section("short"),
        blocks.verbatim("x" * 3000),
        blocks.divider(),
    ]


def test_of_a_message_that_is_too_long_the_longest_text_is_shortened() -> None:
    drawn = [blocks.section("kept"), blocks.verbatim("é" * 3000), blocks.section("kept too")]
    kept, shortened, too = blocks.message("", drawn).blocks
    assert (kept["text"]["text"], too["text"]["text"]) == ("kept", "kept too")
    assert shortened["text"]["text"].endswith("…")
    assert len(shortened["text"]["text"]) > 1000


def test_a_view_holds_as_many_blocks_as_slack_takes() -> None:
    many = [blocks.divider()] * 120
    assert len(blocks.modal("a", ALL_LONG, many).body["blocks"]) == 100
    assert len(blocks.home(many).body["blocks"]) == 100
    assert len(blocks.modal("a", ALL_LONG, []).body["title"]["text"]) == 24
