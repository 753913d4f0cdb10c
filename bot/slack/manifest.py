"""What the app asks Slack for: scopes, events, commands. The file is what an administrator pastes into Slack."""

import json
from importlib.resources import files
from typing import Any


def manifest() -> dict[str, Any]:
    """The app's manifest for Socket Mode."""
    found: dict[str, Any] = json.loads(files("bot.slack").joinpath("manifest.json").read_text(encoding="utf-8"))
    return found
