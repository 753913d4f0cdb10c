"""Config from TOML and from a Slack app manifest."""

import json
import re
import socket
from inspect import isfunction, signature
from pathlib import Path
from types import FunctionType

import pytest

from bot.sandbox.__main__ import main
from bot.sandbox.client import Person
from bot.sandbox.config import CommandConfig, MetadataSubscription, ShortcutConfig, app_from_manifest, load_config
from bot.sandbox.events import SENT
from bot.sandbox.methods import METHODS
from bot.sandbox.wire import Json
from bot.sandbox.workspace import Workspace

TOML = """
team_name = "Acme"
rates = false

[[people]]
id = "anything at all"
name = "ana"
tz = "Europe/Lisbon"

[[people]]
id = "U2"
name = "gus"
kind = "guest"

[[channels]]
id = "C1"
name = "review"
members = ["ana", "gus", "A1"]

[[apps]]
id = "A1"
name = "loop"
bot_token = "any token"
manifest = "manifest.json"
"""
MANIFEST: Json = {
    "display_information": {"name": "Loop"},
    "features": {
        "bot_user": {"display_name": "loop"},
        "slash_commands": [{"command": "/loop", "description": "Does it", "usage_hint": "[x]"}],
        "shortcuts": [{"name": "Flag", "type": "message", "callback_id": "flag", "description": "Flags"}],
    },
    "oauth_config": {"scopes": {"bot": ["chat:write", "commands"]}},
    "settings": {
        "socket_mode_enabled": True,
        "interactivity": {"is_enabled": True, "request_url": "https://example.test/slack"},
        "event_subscriptions": {"bot_events": ["reaction_added"]},
    },
}


def test_a_toml_file_makes_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "sandbox.toml").write_text(TOML)
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    config = load_config(tmp_path / "sandbox.toml")
    workspace = Workspace(config)
    assert (config.team_name, config.rates) == ("Acme", False)
    assert workspace.channels["C1"].members == ["anything at all", "U2", "U_A1"]
    app = workspace.apps["A1"]
    assert (app.bot_token, app.scopes, app.events) == ("any token", ("chat:write", "commands"), ("reaction_added",))


def test_metadata_subscriptions_come_from_the_manifest_or_from_the_file(tmp_path: Path) -> None:
    wanted = {"app_id": "A2", "event_type": "task_created"}
    subscriptions = {"event_subscriptions": {"metadata_subscriptions": [wanted]}, "socket_mode_enabled": True}
    app = app_from_manifest(MANIFEST | {"settings": subscriptions}, id="A1")
    (tmp_path / "sandbox.toml").write_text(
        '[[apps]]\nid = "A1"\nname = "loop"\nmetadata_subscriptions = [{ app_id = "A2", event_type = "task_created" }]'
    )
    listed = load_config(tmp_path / "sandbox.toml").apps[0]
    assert app.metadata_subscriptions == listed.metadata_subscriptions == (MetadataSubscription("A2", "task_created"),)


def test_a_manifest_gives_commands_shortcuts_scopes_and_events() -> None:
    app = app_from_manifest(MANIFEST, id="A1", bot_token="t")
    assert app.commands == (CommandConfig("/loop", "Does it", "[x]"),)
    assert app.shortcuts == (ShortcutConfig("flag", "Flag", "message", "Flags"),)
    assert (app.name, app.bot_user, app.request_url) == ("loop", "U_A1", None)
    by_http = app_from_manifest({**MANIFEST, "settings": {**MANIFEST["settings"], "socket_mode_enabled": False}})
    assert by_http.request_url == "https://example.test/slack"


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ('colour = "red"', "colour is unknown"),
        ('[[people]]\nid = "U1"\nname = "a"\nage = 3', "people: age is unknown"),
        ('[[people]]\nid = "U1"', "people: name is missing"),
        ('[[people]]\nid = "U1"\nname = 3', "people: name is wrong: Input should be a valid string"),
        ('[[people]]\nid = "U1"\nname = "a"\nkind = "king"', "people: kind is wrong: Input should be 'full', 'guest'"),
        ('[[channels]]\nid = "C1"\nname = "c"\nmembers = "ana"', "channels: members is wrong"),
        ('rates = "maybe"', "the top level: rates is wrong"),
        ("[[people", "sandbox.toml"),
    ],
)
def test_a_mistake_is_named_with_its_file(tmp_path: Path, toml: str, sentence: str) -> None:
    path = tmp_path / "sandbox.toml"
    path.write_text(toml)
    with pytest.raises(ValueError, match=sentence) as error:
        load_config(path)
    assert "sandbox.toml" in str(error.value)


def test_the_file_in_the_docs_is_one(tmp_path: Path) -> None:
    docs = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    (tmp_path / "workspace.toml").write_text(docs.split("```toml\n")[1].split("```")[0])
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    config = load_config(tmp_path / "workspace.toml")
    assert Workspace(config).channels["C_REVIEW"].members == ["U_ANA", "U_A_LOOP"]


def test_a_port_that_is_taken_is_said_instead_of_an_address(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sandbox.toml").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["--config", str(tmp_path / "sandbox.toml"), "--port", port]) == 1
    said = capsys.readouterr()
    assert (said.out, f"Cannot listen on 127.0.0.1:{port}" in said.err) == ("", True)


def test_an_event_that_never_comes_is_named_at_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sandbox.toml").write_text(
        '[[apps]]\nid = "A1"\nname = "loop"\nevents = ["team_join", "reaction_added", "message.channels"]'
    )

    with socket.create_server(("127.0.0.1", 0)) as taken:  # so that the command ends
        main(["--config", str(tmp_path / "sandbox.toml"), "--port", str(taken.getsockname()[1])])
    said = capsys.readouterr().err.splitlines()
    assert said[:-1] == ["loop subscribes to team_join, which this workspace never sends."]


def test_the_command_names_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", "/no/such.toml"]) == 2
    assert "/no/such.toml" in capsys.readouterr().err


def test_the_docs_list_every_method_and_event() -> None:
    docs = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    methods, events = docs.partition("Methods of the Web API:")[2].partition("\n\n")[0], docs.partition("Events:")[2]
    assert set(re.findall("`([^`]+)`", methods)) == set(METHODS)
    assert set(re.findall("`([^`]+)`", events.partition("\n\n")[0])) == SENT


def test_the_docs_list_what_a_person_can_do_with_the_arguments_in_their_order() -> None:
    docs = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    table = docs.partition("A person (`box.person(…)`) can:")[2].partition("A channel is given")[0]
    methods = {name: member for name, member in vars(Person).items() if isfunction(member) and name[0] not in "_<"}
    assert dict(re.findall(r"`(\w+)\(([^)]*)\)`", table)) == {name: _positional(one) for name, one in methods.items()}
    attributes = {name for name, member in vars(Person).items() if isinstance(member, property)}
    assert set(re.findall(r"`(\w+)`", table)) == attributes


def _positional(method: FunctionType) -> str:
    given = [one for one in list(signature(method).parameters.values())[1:] if one.kind is one.POSITIONAL_OR_KEYWORD]
    return ", ".join(one.name if one.default is one.empty else f"{one.name}={one.default}" for one in given)
