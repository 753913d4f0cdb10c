"""The initial state of a workspace: people, user groups, channels and apps, from Python or from TOML.

Ids, tokens and secrets can be any strings; missing ones are derived from the name.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from bot.sandbox.wire import Json

Kind = Literal["full", "guest", "bot", "deactivated", "external"]


@dataclass(frozen=True)
class PersonConfig:
    id: str
    name: str
    real_name: str = ""
    tz: str = "Etc/UTC"
    kind: Kind = "full"
    admin: bool = False
    team_id: str = ""  # the team of an external person (Slack Connect); empty: T_<id>
    email: str = ""  # empty: <name>@<team_domain>.example


@dataclass(frozen=True)
class ChannelConfig:
    id: str
    name: str
    private: bool = False
    members: tuple[str, ...] = ()  # ids or names of people, of apps or of their bot users
    archived: bool = False
    ext_shared: bool = False
    topic: str = ""


@dataclass(frozen=True)
class GroupConfig:
    """A user group: people who are mentioned, and may be given a role, together."""

    id: str
    handle: str  # the name that people type after @
    name: str = ""
    members: tuple[str, ...] = ()  # ids or names of people
    disabled: bool = False


@dataclass(frozen=True)
class CommandConfig:
    command: str
    description: str = ""
    usage_hint: str = ""


@dataclass(frozen=True)
class ShortcutConfig:
    callback_id: str
    name: str = ""
    type: Literal["message", "global"] = "message"
    description: str = ""


@dataclass(frozen=True)
class MetadataSubscription:
    """A subscription to message_metadata_posted: the app whose messages it covers, and the event_type."""

    app_id: str
    event_type: str


@dataclass(frozen=True)
class AppConfig:
    id: str
    name: str
    bot_user: str = ""  # empty: U_<id>
    bot_id: str = ""  # empty: B_<id>
    bot_token: str = ""  # empty: xoxb-<id>
    app_token: str = ""  # empty: xapp-<id>
    signing_secret: str = ""  # empty: secret-<id>
    scopes: tuple[str, ...] | None = None  # None: every scope
    events: tuple[str, ...] | None = None  # None: every event the scopes allow
    commands: tuple[CommandConfig, ...] = ()
    shortcuts: tuple[ShortcutConfig, ...] = ()
    metadata_subscriptions: tuple[MetadataSubscription, ...] | None = None  # None: of every app, every event_type
    request_url: str | None = None  # None: Socket Mode

    def __post_init__(self) -> None:
        made = {
            "bot_user": f"U_{self.id}",
            "bot_id": f"B_{self.id}",
            "bot_token": f"xoxb-{self.id}",
            "app_token": f"xapp-{self.id}",
            "signing_secret": f"secret-{self.id}",
        }
        for name, value in made.items():
            if not getattr(self, name):
                object.__setattr__(self, name, value)

    def granted(self, scope: str) -> bool:
        return self.scopes is None or scope in self.scopes


@dataclass(frozen=True)
class SandboxConfig:
    people: tuple[PersonConfig, ...] = ()
    channels: tuple[ChannelConfig, ...] = ()
    apps: tuple[AppConfig, ...] = ()
    groups: tuple[GroupConfig, ...] = field(default=(), kw_only=True)
    team_id: str = "T_LOCAL"
    team_name: str = "Local workspace"
    team_domain: str = "local"
    rates: bool = True  # enforce Slack's rate limits
    ack_seconds: float = 3.0  # the time limit of an acknowledgement; real seconds
    file_seconds: float = 0.03  # the time until an uploaded file is ready and shared; real seconds
    emoji: tuple[str, ...] = field(default=(), kw_only=True)  # names of the workspace's own emoji
    welcome: str = field(default="", kw_only=True)  # a suggestion for newcomers, on the page's first screen


def load_config(path: str | Path) -> SandboxConfig:
    """Reads a TOML file. `manifest = "manifest.json"` in an app takes that Slack app manifest (JSON) as its start.

    Raises ValueError with the file, the table and the key that is wrong.
    """
    path = Path(path)
    try:
        return config_from_dict(tomllib.loads(path.read_text(encoding="utf-8")), path.parent)
    except (TypeError, ValueError, KeyError) as error:  # KeyError: from an incomplete manifest
        raise ValueError(f"{path}: {f'{error} is missing' if isinstance(error, KeyError) else error}") from error


def config_from_dict(document: Mapping[str, Any], folder: Path = Path()) -> SandboxConfig:
    people = tuple(_made(PersonConfig, entry, "people") for entry in document.get("people", []))
    channels = tuple(_made(ChannelConfig, entry, "channels") for entry in document.get("channels", []))
    apps = tuple(_app(entry, folder) for entry in document.get("apps", []))
    groups = tuple(_made(GroupConfig, entry, "groups") for entry in document.get("groups", []))
    tables = ("people", "channels", "apps", "groups")
    rest = {name: value for name, value in document.items() if name not in tables}
    settings: SandboxConfig = _made(SandboxConfig, rest, "the top level")
    return replace(settings, people=people, channels=channels, apps=apps, groups=groups)


def app_from_manifest(manifest: Mapping[str, Any], **overrides: Any) -> AppConfig:
    """An app as its Slack app manifest describes it; ids, tokens and the rest by keyword.

    The request_url counts only where the manifest turns Socket Mode off.
    """
    features = manifest.get("features", {})
    settings = manifest.get("settings", {})
    name = manifest.get("display_information", {}).get("name", "App")
    interactivity = settings.get("interactivity", {})
    subscriptions = settings.get("event_subscriptions", {})
    made: Json = {
        "id": "A_" + "".join(letter for letter in name.upper() if letter.isalnum()),
        "name": features.get("bot_user", {}).get("display_name", name),
        "scopes": tuple(manifest.get("oauth_config", {}).get("scopes", {}).get("bot", ())),
        "events": tuple(subscriptions.get("bot_events", ())),
        "commands": tuple(
            CommandConfig(entry["command"], entry.get("description", ""), entry.get("usage_hint", ""))
            for entry in features.get("slash_commands", ())
        ),
        "shortcuts": tuple(
            ShortcutConfig(entry["callback_id"], entry["name"], entry["type"], entry.get("description", ""))
            for entry in features.get("shortcuts", ())
        ),
        "metadata_subscriptions": tuple(
            MetadataSubscription(entry["app_id"], entry["event_type"])
            for entry in subscriptions.get("metadata_subscriptions", ())
        ),
    }
    if not settings.get("socket_mode_enabled", False):
        made["request_url"] = interactivity.get("request_url") or subscriptions.get("request_url")
    return AppConfig(**{**made, **overrides})


def _app(entry: Json, folder: Path) -> AppConfig:
    entry = dict(entry)
    manifest = entry.pop("manifest", None)
    if "commands" in entry:
        entry["commands"] = tuple(_made(CommandConfig, each, "apps.commands") for each in entry["commands"])
    if "shortcuts" in entry:
        entry["shortcuts"] = tuple(_made(ShortcutConfig, each, "apps.shortcuts") for each in entry["shortcuts"])
    if "metadata_subscriptions" in entry:
        named = [
            _made(MetadataSubscription, each, "apps.metadata_subscriptions") for each in entry["metadata_subscriptions"]
        ]
        entry["metadata_subscriptions"] = tuple(named)
    for name in ("scopes", "events"):
        if name in entry:
            entry[name] = tuple(entry[name])
    if manifest is None:
        made: AppConfig = _made(AppConfig, entry, "apps")
        return made
    return app_from_manifest(json.loads((folder / manifest).read_text(encoding="utf-8")), **entry)


def _made(kind: Any, entry: Json, table: str) -> Any:
    known = {each.name for each in fields(kind)}
    unknown = set(entry) - known
    if unknown:
        raise ValueError(f"{table}: {', '.join(sorted(unknown))} is unknown; known are {', '.join(sorted(known))}")
    try:
        return TypeAdapter(kind).validate_python(entry)
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        words = "is missing" if wrong["type"] == "missing" else f"is wrong: {wrong['msg']}"
        raise ValueError(f"{table}: {'.'.join(str(part) for part in wrong['loc'])} {words}") from None
