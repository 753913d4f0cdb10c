"""JSON between Slack and an app. The code that reads a value checks its type."""

from typing import Any

Json = dict[str, Any]


def dicts(value: object) -> list[Json]:
    """The objects in a JSON list; [] for anything that is not a list."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def without_none(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value is not None}
