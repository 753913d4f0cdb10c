"""Slack's Block Kit as functions. Escaping and length limits are only in this module.

Limits are those of docs.slack.dev/reference/block-kit. Long texts are visibly shortened, never rejected: the card of a
ticket of a megabyte must still be shown.
"""

import heapq
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from core.policy import is_group
from core.vocabulary import FORMER

Block = dict[str, Any]

SECTION, FIELD, CONTEXT, HEADER = 3000, 2000, 2000, 150
BUTTON, VALUE, OPTION, OPTION_VALUE, DESCRIPTION = 75, 2000, 75, 150, 75
TITLE, PLACEHOLDER, FALLBACK, ALT = 24, 150, 3500, 2000
MOST_BLOCKS, MOST_BUTTONS, MOST_FIELDS, MOST_OPTIONS, MOST_CONTEXT = 50, 25, 10, 100, 10
LONGEST_LINK, SHOWN_LINK = 1000, 80  # characters of a link in Slack's markup, and of its visible text
MOST_CHARACTERS = 10_000  # of a message's blocks as JSON; Slack refuses somewhere above 13,000, undocumented


@dataclass(frozen=True)
class Message:
    """A message. text: for screen readers and notifications; it says everything that the blocks say."""

    text: str
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True)
class View:
    """A modal or a Home tab in Slack's format."""

    body: Block


def escape(text: str) -> str:
    """Escape text by strangers inside mrkdwn: it cannot become a mention, link, channel or command."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def literal(text: str) -> str:
    """Escape text by strangers inside mrkdwn so that it is not formatted either: a zero-width space breaks the
    marks."""
    broken = escape(text)
    for mark in "*_~`:":
        broken = broken.replace(mark, mark + "\u200b")
    return broken


ADDRESS = re.compile(r"""https?://[^\s<>|"`\x00-\x1f]+""", re.IGNORECASE)
SENTENCE_END = ".,;:!?)]}'\u201d\u00bb\u2026"  # characters that belong to the sentence around an address
ADDRESS_CHARACTERS = "%/:?#[]@!$&'()*+,;=-._~"  # allowed beside letters and digits; all others are percent-encoded


def linked(text: str) -> str:
    """The same as `literal`, but web addresses become links. A stranger's text cannot make any other mark: a link shows
    the beginning of its address."""
    drawn, end = [], 0
    for found in ADDRESS.finditer(text):
        shown = found[0].rstrip(SENTENCE_END)
        drawn += [literal(text[end : found.start()]), _link_to(shown) or literal(shown)]
        end = found.start() + len(shown)
    return "".join([*drawn, literal(text[end:])])


def link(address: str, words: str) -> str:
    """A link with these words, which strangers may have written, to an address that Goldloop made."""
    return f"<{escape(address)}|{literal(words)}>"


def _link_to(shown: str) -> str:
    """The link to an address. Empty if it is no ordinary web address; one with a user name, for example, reads as if it
    led elsewhere."""
    try:
        parts = urlsplit(shown)
        odd = not parts.hostname or not parts.hostname.isascii() or "@" in parts.netloc or parts.port == 0
    except ValueError:
        return ""
    address = quote(shown, safe=ADDRESS_CHARACTERS)
    marked = (
        escape(address) if len(address) <= SHOWN_LINK else f"{escape(address)}|{literal(shorten(address, SHOWN_LINK))}"
    )
    return "" if odd or len(marked) > LONGEST_LINK else f"<{marked}>"


def mention(named: str) -> str:
    """A mention of a person or a user group. A person who has left is shown by the pseudonym, which Slack does not
    know."""
    if named.startswith(FORMER):
        return named
    return f"<!subteam^{named}>" if is_group(named) else f"<@{named}>"


def shorten(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def shorten_marked(text: str, most: int) -> str:
    """The same as `shorten`, for mrkdwn: no link, mention or escaped character is cut in two."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    for begin, end in (("<", ">"), ("&", ";")):
        if kept.rfind(begin) > kept.rfind(end):
            kept = kept[: kept.rfind(begin)]
    return kept + "…"


def plain(text: str, most: int = SECTION) -> Block:
    return {"type": "plain_text", "text": shorten(text, most) or " ", "emoji": False}


def mrkdwn(text: str, most: int = SECTION) -> Block:
    return {"type": "mrkdwn", "text": shorten_marked(text, most) or " ", "verbatim": True}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text, HEADER)}


def section(text: str, accessory: Block | None = None) -> Block:
    block: Block = {"type": "section", "text": mrkdwn(text)}
    return block | ({"accessory": accessory} if accessory else {})


def verbatim(text: str, most: int = SECTION) -> Block:
    """Text by strangers, shown as it is: Slack parses nothing in it."""
    return {"type": "section", "text": plain(text, most)}


def fields(pairs: Sequence[tuple[str, str]]) -> list[Block]:
    """Names and values in two columns, in as many sections as are needed."""
    cells = [mrkdwn(f"*{literal(name)}*\n{linked(value)}", FIELD) for name, value in pairs]
    return [
        {"type": "section", "fields": cells[start : start + MOST_FIELDS]}
        for start in range(0, len(cells), MOST_FIELDS)
    ]  # fmt: skip


def context(*texts: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(text, CONTEXT) for text in texts[:MOST_CONTEXT]]}


def divider() -> Block:
    return {"type": "divider"}


def image(url: str, alt: str) -> Block:
    return {"type": "image", "image_url": url, "alt_text": shorten(alt, ALT)}


def file_image(file_id: str, alt: str) -> Block:
    """A picture that the app has uploaded and Slack has processed."""
    return {"type": "image", "slack_file": {"id": file_id}, "alt_text": shorten(alt, ALT)}


def actions(*elements: Block) -> list[Block]:
    """The elements in as many rows as Slack's limit per row requires."""
    return [
        {"type": "actions", "elements": list(elements[start : start + MOST_BUTTONS])}
        for start in range(0, len(elements), MOST_BUTTONS)
    ]


def button(text: str, action_id: str, value: str, style: str | None = None, label: str = "") -> Block:
    """A button. label: read by screen readers instead of the text."""
    block: Block = {
        "type": "button",
        "text": plain(text, BUTTON),
        "action_id": action_id,
        "value": shorten(value, VALUE),
    }
    if style:
        block["style"] = style
    if label:
        block["accessibility_label"] = shorten(label, BUTTON)
    return block


def option(text: str, value: str, description: str = "") -> Block:
    block: Block = {"text": plain(text, OPTION), "value": shorten(value, OPTION_VALUE)}
    return block | ({"description": plain(description, DESCRIPTION)} if description else {})


def static_select(
    action_id: str, options: Sequence[Block], placeholder: str, initial: str | None = None, focus: bool = False
) -> Block:
    block: Block = {
        "type": "static_select",
        "action_id": action_id,
        "placeholder": plain(placeholder, PLACEHOLDER),
        "options": list(options[:MOST_OPTIONS]),
    }
    chosen = next((one for one in block["options"] if one["value"] == initial), None)
    if chosen:
        block["initial_option"] = chosen
    return block | ({"focus_on_load": True} if focus else {})


def external_select(action_id: str, placeholder: str, initial: Block | None = None) -> Block:
    """A menu whose options Slack requests from the app while a person types, from the first character on."""
    block: Block = {
        "type": "external_select",
        "action_id": action_id,
        "placeholder": plain(placeholder, PLACEHOLDER),
        "min_query_length": 1,
    }
    return block | ({"initial_option": initial} if initial else {})


def text_input(action_id: str, multiline: bool = True, initial: str = "", most: int = 3000) -> Block:
    block: Block = {
        "type": "plain_text_input",
        "action_id": action_id,
        "multiline": multiline,
        "max_length": min(most, 3000),
    }
    return block | ({"initial_value": shorten(initial, min(most, 3000))} if initial else {})


def form_input(block_id: str, label: str, element: Block, optional: bool = False, hint: str = "") -> Block:
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain(label, 2000),
        "element": element,
        "optional": optional,
    }
    return block | ({"hint": plain(hint, 2000)} if hint else {})


def modal(callback_id: str, title: str, blocks: Sequence[Block], metadata: str = "", submit: str | None = None) -> View:
    body: Block = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(title, TITLE),
        "close": plain("Cancel" if submit else "Close", TITLE),
        "private_metadata": metadata,
        "blocks": list(blocks[:100]),
    }
    return View(body | ({"submit": plain(submit, TITLE)} if submit else {}))


def home(blocks: Sequence[Block]) -> View:
    return View({"type": "home", "blocks": list(blocks[:100])})


def message(text: str, blocks: Sequence[Block]) -> Message:
    """A message within Slack's limits, whatever its content: the longest texts are shortened until the message fits. If
    that is not enough, blocks are left out from the end, buttons last."""
    kept = list(blocks[:MOST_BLOCKS])
    over = _size(kept) - MOST_CHARACTERS
    if over > 0:
        _shorten_longest(_texts(kept), over)
    while over > 0 and _size(kept) > MOST_CHARACTERS:
        kept.pop(max(range(len(kept)), key=lambda at: (kept[at]["type"] != "actions", at)))
    return Message(shorten(text, FALLBACK), kept)


def _shorten_longest(texts: list[Block], over: int) -> None:
    """Shorten the texts by `over` characters of JSON together, the longest first; none gets shorter than 30
    characters."""
    longest = [(-_size(part["text"]), at) for at, part in enumerate(texts)]
    heapq.heapify(longest)
    while over > 0 and longest:
        size, at = heapq.heappop(longest)
        part = texts[at]
        if len(part["text"]) >= 40:
            cut = shorten_marked if part["type"] == "mrkdwn" else shorten
            part["text"] = cut(part["text"], max(30, len(part["text"]) * 3 // 4))
            smaller = _size(part["text"])
            over -= -size - smaller
            heapq.heappush(longest, (-smaller, at))


def _texts(blocks: Sequence[Block]) -> list[Block]:
    found: list[Block] = []
    for block in blocks:
        found += [block["text"]] if isinstance(block.get("text"), dict) and block["type"] == "section" else []
        found += block.get("fields", [])
        found += block["elements"] if block["type"] == "context" else []
    return found


def _size(part: object) -> int:
    return len(json.dumps(part))
