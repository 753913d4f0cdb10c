"""The Slack app's manifest: scopes, events and commands. An administrator pastes it into Slack."""

import json
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from core.errors import Invalid

EVENTS_PATH = "/slack/events"  # the only address for all requests of Slack; see bot/server/app.py
LOOPBACK = ("127.0.0.1", "localhost")  # the local workspace calls without TLS
GROUP_SCOPES = ("usergroups:read",)
GROUP_EVENTS = ("subteam_members_changed", "subteam_updated")


def manifest(groups: bool = False) -> dict[str, Any]:
    """The app's manifest for Socket Mode. groups: whether the policy gives roles to Slack user groups; only then the
    app gets the scope to read their members."""
    found: dict[str, Any] = json.loads(files("bot.slack").joinpath("manifest.json").read_text(encoding="utf-8"))
    if groups:
        found["oauth_config"]["scopes"]["bot"] += GROUP_SCOPES
        found["settings"]["event_subscriptions"]["bot_events"] += GROUP_EVENTS
    return found


def manifest_for(public_url: str, groups: bool = False) -> dict[str, Any]:
    """The manifest of the same app, called by Slack over HTTP at this address. Raises Invalid if Slack would not call
    it."""
    address = events_address(public_url)
    made = manifest(groups)
    settings = made["settings"]
    settings["socket_mode_enabled"] = False
    settings["event_subscriptions"]["request_url"] = address
    settings["interactivity"] |= {"request_url": address, "message_menu_options_url": address}
    for command in made["features"]["slash_commands"]:
        command["url"] = address
    return made


def events_address(public_url: str) -> str:
    """The address of the app's requests. public_url: `https://host`, with or without /slack/events."""
    parts = urlsplit(public_url.strip())
    if not parts.hostname or (parts.scheme != "https" and parts.hostname not in LOOPBACK):
        raise Invalid(
            f"“{public_url}” is not an https:// address. Slack calls only those: use one such as https://bot.example.com."
        )
    base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    return base if base.endswith(EVENTS_PATH) else base + EVENTS_PATH
