"""Validation of blocks and views: `validate` returns the errors that Slack would report. It is pure.

It applies the tables of block_kit.py, and the rules for a whole message or view.
"""

import json
from collections import Counter
from collections.abc import Mapping

from bot.sandbox.block_kit import BLOCKS, BLOCKS_MOST, MARKDOWN_MOST, SURFACES, VIEW, Surface
from bot.sandbox.blocks import all_blocks, elements, elements_of
from bot.sandbox.errors import SlackError
from bot.sandbox.rules import Things, Typed, say
from bot.sandbox.wire import Json, dicts
from bot.sandbox.workspace import File

VIEW_BYTES_MOST = 250_000  # view_too_large (docs views.update)
TABLE_MOST = 10_000  # characters over all tables of a message
CHARTS_MOST = 2  # data_visualization blocks in a message


def validate(blocks: list[Json], surface: Surface, at: str = "/blocks") -> list[str]:
    """All errors that Slack would report, as sentences with JSON pointers; [] if the blocks are valid."""
    errors: list[str] = []
    Things(Typed(BLOCKS), BLOCKS_MOST[surface], 0).check(blocks, at, errors)
    for index, each in enumerate(blocks):
        if surface not in SURFACES.get(str(each.get("type")), (surface,)):
            say(errors, f"unsupported type: {each.get('type')}", f"{at}/{index}/type")
    if errors:
        return errors
    _unique(blocks, at, errors)
    _sums(blocks, at, errors)
    _choices(blocks, surface, at, errors)
    return errors


def _unique(blocks: list[Json], at: str, errors: list[str]) -> None:
    """Checks unique ids: block_id in the whole, action_id within its block; and at most one focus_on_load."""
    for name in _twice([each.get("block_id") for each in all_blocks(blocks)]):
        say(errors, f"`block_id` must be unique: {name}", at)
    for index, each in enumerate(blocks):
        for name in _twice([entry.get("action_id") for entry in elements_of(each)]):
            say(errors, f"`action_id` must be unique in its block: {name}", f"{at}/{index}")
    if sum(entry.get("focus_on_load") is True for _, entry in elements(blocks)) > 1:
        say(errors, "only one element can have focus_on_load", at)


def _twice(names: list[str | None]) -> list[str]:
    return [name for name, times in Counter(names).items() if name is not None and times > 1]


def _sums(blocks: list[Json], at: str, errors: list[str]) -> None:
    """Checks the limits of the message as a whole."""
    if sum(len(str(each.get("text"))) for each in blocks if each["type"] == "markdown") > MARKDOWN_MOST:
        say(errors, f"markdown blocks must be less than {MARKDOWN_MOST + 1} characters together", at)
    if sum(_table_size(each) for each in blocks if each["type"] == "table") > TABLE_MOST:
        say(errors, f"tables must be less than {TABLE_MOST + 1} characters together", at)
    if sum(each["type"] == "data_visualization" for each in blocks) > CHARTS_MOST:
        say(errors, f"no more than {CHARTS_MOST} data_visualization blocks allowed", at)


def _table_size(table: Json) -> int:
    return sum(len(text) for row in table["rows"] for text in _texts(row))


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [text for entry in value for text in _texts(entry)]
    if isinstance(value, dict):
        return [str(value["text"])] if isinstance(value.get("text"), str) else _texts(list(value.values()))
    return []


def _choices(blocks: list[Json], surface: Surface, at: str, errors: list[str]) -> None:
    """Checks that an initial option is among the options, that there are not both options and option_groups, and that
    file inputs are only in modals."""
    for index, each in enumerate(blocks):
        for entry in elements_of(each):
            place = f"{at}/{index}"
            if entry.get("options") and entry.get("option_groups"):
                say(errors, "must define either options or option_groups, not both", place)
            if entry["type"] == "file_input" and surface != "modal":
                say(errors, "unsupported type: file_input", place)
            offered = [str(option.get("value")) for option in _offered(entry)]
            wanted = [entry.get("initial_option"), *dicts(entry.get("initial_options"))]
            if "external" not in entry["type"] and any(
                want and str(want.get("value")) not in offered for want in wanted
            ):
                say(errors, "initial option must match one of the options", place)


def _offered(entry: Json) -> list[Json]:
    return dicts(entry.get("options")) + [
        option for group in dicts(entry.get("option_groups")) for option in dicts(group.get("options"))
    ]


def check_message(blocks: list[Json], files: Mapping[str, File]) -> None:
    """Checks a message's blocks. Raises invalid_blocks with all errors. files: those that the author may show."""
    errors = validate(blocks, "message") or _files(blocks, files, "/blocks")
    if errors:
        raise SlackError("invalid_blocks", errors=errors, response_metadata=metadata(errors))


def check_view(view: Json, kind: str, files: Mapping[str, File]) -> None:
    """Checks a view. Raises invalid_arguments with all errors, or view_too_large."""
    if len(json.dumps(view, ensure_ascii=False).encode()) > VIEW_BYTES_MOST:
        raise SlackError("view_too_large")
    errors: list[str] = []
    VIEW.check(view, "/view", errors)
    if view.get("type") not in (None, kind):
        say(errors, f"unsupported type: {view.get('type')}", "/view/type")
    blocks = view.get("blocks")
    if isinstance(blocks, list):
        surface: Surface = "home" if kind == "home" else "modal"
        errors += validate(blocks, surface, "/view/blocks") or _files(blocks, files, "/view/blocks")
    if kind == "modal":
        errors += _modal(view)
    elif view.get("submit") or view.get("close"):
        say(errors, "home view cannot have submit and close", "/view")
    if errors:
        raise SlackError("invalid_arguments", response_metadata=metadata(errors))


def _modal(view: Json) -> list[str]:
    errors: list[str] = []
    if view.get("title") is None:
        say(errors, "missing required field: title", "/view")
    if view.get("submit") is None and any(each.get("type") == "input" for each in dicts(view.get("blocks"))):
        say(errors, "missing required field: submit", "/view")
    return errors


def _files(blocks: list[Json], files: Mapping[str, File], at: str) -> list[str]:
    """The errors of images: an image may only show a file that Slack has and has processed (python-slack-sdk #1521)."""
    errors: list[str] = []
    for index, each in enumerate(blocks):
        for image in [each, *elements_of(each), *dicts(each.get("elements"))]:
            wanted = image.get("slack_file") if image.get("type") == "image" else None
            if wanted and not _ready(wanted, files):
                say(errors, "invalid slack file", f"{at}/{index}/slack_file")
    return errors


def files_in(blocks: list[Json]) -> list[str]:
    """Ids of the files that images among the blocks show."""
    images = [image for each in blocks for image in [each, *elements_of(each), *dicts(each.get("elements"))]]
    wanted = [image.get("slack_file") for image in images if image.get("type") == "image"]
    return [str(one["id"]) for one in wanted if isinstance(one, dict) and one.get("id")]


def _ready(wanted: Json, files: Mapping[str, File]) -> bool:
    url = str(wanted.get("url", ""))
    return any(file.ready and (wanted.get("id") == file.id or f"/files/{file.id}/" in url) for file in files.values())


def metadata(errors: list[str]) -> Json:
    return {"messages": [f"[ERROR] {error}" for error in errors]}
