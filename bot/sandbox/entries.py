"""Values that a person enters into elements, as Slack reports them, and Slack's own checks of a form."""

import re

from bot.sandbox.blocks import elements, words
from bot.sandbox.errors import Refused
from bot.sandbox.wire import Json, dicts

# type of element -> the key that holds its value; the initial one is initial_<key> except for typed text
HELD = {
    "plain_text_input": "value",
    "number_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "rich_text_input": "rich_text_value",
    "static_select": "selected_option",
    "external_select": "selected_option",
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "multi_static_select": "selected_options",
    "multi_external_select": "selected_options",
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
    "radio_buttons": "selected_option",
    "checkboxes": "selected_options",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "file_input": "files",
}
OPTIONS = ("selected_option", "selected_options")
REQUIRED = "Please complete this required field."


def initial(element: Json) -> Json:
    """The state of an untouched element, e.g. {"type": "plain_text_input", "value": None}."""
    kind = element["type"]
    held = HELD[kind]
    given = element.get("initial_value") if held.endswith("value") else element.get(f"initial_{held[9:]}")
    if given is None and held.endswith("s"):
        given = []
    return {"type": kind, held: given}


def entered(element: Json, value: object, offered: list[Json]) -> Json:
    """The state after a person has chosen or typed `value`; options by their value or their words. Raises Refused."""
    kind = element["type"]
    if kind not in HELD:
        raise Refused(f"A {kind} has no value.")
    held = HELD[kind]
    if held == "selected_option":
        return {"type": kind, held: None if value is None else option(element, value, offered)}
    if held == "selected_options":
        wanted = value if isinstance(value, list | tuple) else [value]
        return {"type": kind, held: [option(element, each, offered) for each in wanted]}
    if held.endswith("s"):
        return {"type": kind, held: list(value) if isinstance(value, list | tuple) else [value]}
    if held == "selected_date_time":
        return {"type": kind, held: int(str(value))}
    if held == "rich_text_value":
        return {"type": kind, held: value if isinstance(value, dict) else rich_text(str(value))}
    if isinstance(value, dict | list):
        raise Refused(f"The value of a {kind} must be a string.")
    return {"type": kind, held: None if value is None else str(value)}


def options_of(element: Json) -> list[Json]:
    groups = [each for group in dicts(element.get("option_groups")) for each in dicts(group.get("options"))]
    return dicts(element.get("options")) + groups


def option(element: Json, value: object, offered: list[Json]) -> Json:
    known = [*options_of(element), *offered]
    for each in known:
        if value in (each.get("value"), words(each.get("text", {}))):
            return {"text": each["text"], "value": each["value"]}
    names = ", ".join(words(each.get("text", {})) for each in known) or "none"
    raise Refused(f"There is no option {value!r} in {element.get('action_id')!r}. Options: {names}.", 404)


def rich_text(text: str) -> Json:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [section]}


def state_values(blocks: list[Json], chosen: dict[str, Json]) -> Json:
    """`state.values` of a message or view: every element that holds a value, touched or not."""
    values: Json = {}
    for block, element in elements(blocks):
        if element.get("type") in HELD:
            state = chosen.get(block["block_id"], {}).get(element["action_id"]) or initial(element)
            values.setdefault(block["block_id"], {})[element["action_id"]] = state
    return values


def kept(blocks: list[Json], chosen: dict[str, Json]) -> dict[str, Json]:
    """Entered values that survive an update of the view: those with the same block_id, action_id and type."""
    still: dict[str, Json] = {}
    for block, element in elements(blocks):
        state = chosen.get(block["block_id"], {}).get(element.get("action_id", ""))
        if state is not None and state["type"] == element.get("type"):
            still.setdefault(block["block_id"], {})[element["action_id"]] = state
    return still


def form_errors(blocks: list[Json], values: Json) -> dict[str, str]:
    """Slack's own validation errors, by block_id, shown before the app is asked."""
    errors: dict[str, str] = {}
    for block, element in elements(blocks):
        if block.get("type") == "input":
            state = values[block["block_id"]][element["action_id"]]
            wrong = _wrong(element, state[HELD[element["type"]]], bool(block.get("optional")))
            if wrong:
                errors[block["block_id"]] = wrong
    return errors


def _wrong(element: Json, value: object, optional: bool) -> str | None:
    if value in (None, "", []):
        return None if optional else REQUIRED
    kind, text = element["type"], str(value)
    if kind == "plain_text_input":
        return _wrong_length(element, text)
    if kind == "number_input":
        return _wrong_number(element, text)
    if kind == "email_text_input" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
        return "Enter a valid email address."
    if kind == "url_text_input" and not re.match(r"https?://\S+$", text):
        return "Enter a valid URL."
    most = element.get("max_selected_items")
    if isinstance(value, list) and isinstance(most, int) and len(value) > most:
        return f"Select at most {most}."
    return None


def _wrong_length(element: Json, text: str) -> str | None:
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if len(text) < least:
        return f"Enter at least {least} characters."
    return f"Enter at most {most} characters." if len(text) > most else None


def _wrong_number(element: Json, text: str) -> str | None:
    try:
        number = float(text)
    except ValueError:
        return "Enter a number."
    if not element.get("is_decimal_allowed") and not number.is_integer():
        return "Enter a whole number."
    if "min_value" in element and number < float(element["min_value"]):
        return f"Enter a number of at least {element['min_value']}."
    if "max_value" in element and number > float(element["max_value"]):
        return f"Enter a number of at most {element['max_value']}."
    return None
