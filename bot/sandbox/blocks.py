"""Reading Block Kit: the elements in a list of blocks, their words, and the ids that Slack adds by itself."""

import copy
from collections.abc import Iterator

from bot.sandbox.wire import Json, dicts
from bot.sandbox.workspace import random_text

HIDDEN = ("options", "option_groups", "confirm", "fallback")  # keys of words that are visible only after a click
WORDS = ("text", "title", "subtitle", "caption", "body", "alt_text", "label", "name")


def nested(block: Json) -> list[Json]:
    """The blocks inside a container or a carousel."""
    return dicts(block.get("child_blocks")) + (dicts(block.get("elements")) if block.get("type") == "carousel" else [])


def all_blocks(blocks: list[Json]) -> Iterator[Json]:
    for block in blocks:
        yield block
        yield from all_blocks(nested(block))


def elements_of(block: Json) -> list[Json]:
    """The interactive elements of one block, in the order of reading."""
    found = [block[name] for name in ("accessory", "element") if isinstance(block.get(name), dict)]
    if block.get("type") in ("actions", "context_actions"):
        found += dicts(block.get("elements"))
    return found + dicts(block.get("actions"))


def elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    for block in all_blocks(blocks):
        for element in elements_of(block):
            yield block, element


def completed(blocks: list[Json]) -> list[Json]:
    """A copy as Slack stores it: with block_ids, action_ids, and emoji / verbatim spelled out in texts."""
    made = copy.deepcopy(blocks)
    for block in all_blocks(made):
        block.setdefault("block_id", random_text(5))
    for _, element in elements(made):
        if element.get("type") != "image":
            element.setdefault("action_id", random_text(5))
    for block in made:
        complete_texts(block)
    return made


def complete_texts(value: object) -> None:
    if isinstance(value, dict):
        if value.get("type") == "plain_text":
            value.setdefault("emoji", True)
        elif value.get("type") == "mrkdwn":
            value.setdefault("verbatim", False)
        for inner in value.values():
            complete_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            complete_texts(inner)


def words(value: Json) -> str:
    """The words of a text object or of a plain string."""
    return str(value.get("text", "")) if isinstance(value, dict) else str(value or "")


def labels(element: Json) -> list[str]:
    """The names of a control for people: its words, or one name for each entry of an overflow menu."""
    kind = element.get("type")
    if kind in ("button", "workflow_button"):
        return [words(element.get("text", {}))]
    if kind == "overflow":
        return [words(option.get("text", {})) for option in dicts(element.get("options"))]
    if kind == "feedback_buttons":
        return [words(element.get(name, {}).get("text", {})) for name in ("positive_button", "negative_button")]
    if kind == "icon_button":
        return [words(element.get("text", {}))]
    return []


def buttons(blocks: list[Json]) -> list[str]:
    return [label for _, element in elements(blocks) for label in labels(element)]


def lines(value: object) -> Iterator[str]:
    """The words that are visible without a click, a text object or a line of rich text at a time."""
    if isinstance(value, list):
        for inner in value:
            yield from lines(inner)
    elif isinstance(value, dict):
        kind = value.get("type", "")
        if kind in ("plain_text", "mrkdwn", "raw_text", "markdown"):
            yield str(value.get("text", ""))
        elif kind in ("rich_text_section", "rich_text_preformatted", "rich_text_quote"):
            yield "".join(_inline(inner) for inner in dicts(value.get("elements")))
        else:
            for name, inner in value.items():
                if isinstance(inner, str) and name in WORDS and kind not in ("button", "overflow", "raw_number"):
                    yield inner
                elif name not in HIDDEN:
                    yield from lines(inner)


def plain(text: str, blocks: list[Json]) -> str:
    return "\n".join(line for line in [text, *lines(blocks)] if line)


def _inline(element: Json) -> str:
    kind = element.get("type")
    shown = {
        "user": f"<@{element.get('user_id')}>",
        "usergroup": f"<!subteam^{element.get('usergroup_id')}>",
        "channel": f"<#{element.get('channel_id')}>",
        "emoji": f":{element.get('name')}:",
        "broadcast": f"@{element.get('range')}",
        "date": str(element.get("fallback", "")),
    }
    if kind in shown:
        return shown[kind]
    return str(element.get("text") or element.get("url") or "")
