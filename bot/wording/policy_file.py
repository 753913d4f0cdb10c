"""A policy in the form of a policy file: the settings that differ from the defaults. Addresses of webhooks and
of services are left out, because their paths can be secrets."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from core.policy import Policy
from core.policy.changes import shown_address


def policy_file(policy: Policy) -> str:
    """The policy as TOML. Except for addresses, reading it gives the same policy."""
    values = policy.model_dump(mode="json", exclude_defaults=True)
    lines: list[str] = []
    for queue in policy.queues:
        named = next(one for one in values["queues"] if one["name"] == queue.name)
        lines += _section(f"queues.{queue.name}", named)
    lines += _section("api", values["api"]) if values.get("api") else []
    for endpoint in values.get("webhooks", []):
        lines += _section(f"webhooks.{endpoint['name']}", endpoint)
    return "\n".join(lines[1:]) + "\n"


def _section(name: str, values: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"[{name}]")
    inner = {key: value for key, value in values.items() if isinstance(value, dict)}
    for key, value in values.items():
        if key == "url":
            yield f"# url: an address at {shown_address(value)}, not shown"
        elif key not in inner and key != "name" and value is not None:
            yield f"{key} = {_value(value)}"
    for key, value in inner.items():
        yield from _section(f"{name}.{key}", value)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_value(one)}' for key, one in value.items() if one is not None)} }}"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # only TOML escapes it
    return json.dumps(value)
