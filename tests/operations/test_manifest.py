"""The manifest asks for what the page explains, no more and no less; over HTTP every way in leads to one address."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli.app import app
from bot.sandbox.config import app_from_manifest
from bot.slack.manifest import manifest, manifest_for
from core.errors import Invalid

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "slack.md").read_text(encoding="utf-8")
ADDRESS = "https://bot.example.com/slack/events"


def explained(what: str) -> dict[str, str]:
    """Name to reason, out of the page's table."""
    [table] = re.findall(rf"<!-- {what}: begin -->(.*?)<!-- {what}: end -->", PAGE, re.DOTALL)
    return dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", table, re.MULTILINE))


def events_of(made: dict[str, Any]) -> list[str]:
    return list(made["settings"]["event_subscriptions"]["bot_events"])


def test_each_scope_and_event_has_its_reason_on_the_page() -> None:
    asked = manifest(groups=True)
    assert sorted(explained("scopes")) == sorted(asked["oauth_config"]["scopes"]["bot"])
    assert sorted(explained("events")) == sorted(asked["settings"]["event_subscriptions"]["bot_events"])


def test_about_user_groups_it_asks_only_where_the_policy_names_some() -> None:
    printed = json.loads(CliRunner().invoke(app, ["manifest", "--groups", "--url", ADDRESS]).stdout)
    more = set(printed["oauth_config"]["scopes"]["bot"]) - set(manifest()["oauth_config"]["scopes"]["bot"])
    more |= set(events_of(printed)) - set(events_of(manifest()))
    assert more == {"usergroups:read", "subteam_members_changed", "subteam_updated"}
    reasons = explained("scopes") | explained("events")
    assert {name for name, why in reasons.items() if why.startswith("only with `--groups`")} == more


def test_it_is_printed_for_socket_mode() -> None:
    printed = json.loads(CliRunner().invoke(app, ["manifest"]).stdout)
    assert printed == manifest()
    assert printed["settings"]["socket_mode_enabled"] is True


@pytest.mark.parametrize("given", ["https://bot.example.com", "https://bot.example.com/", ADDRESS])
def test_over_http_every_way_in_leads_to_one_address(given: str) -> None:
    printed = json.loads(CliRunner().invoke(app, ["manifest", "--url", given]).stdout)
    settings = printed["settings"]
    assert settings["socket_mode_enabled"] is False
    assert settings["event_subscriptions"]["request_url"] == ADDRESS
    assert settings["interactivity"]["request_url"] == ADDRESS
    assert settings["interactivity"]["message_menu_options_url"] == ADDRESS
    assert [command["url"] for command in printed["features"]["slash_commands"]] == [ADDRESS]
    assert app_from_manifest(printed).request_url == ADDRESS


def test_both_ways_ask_for_the_same() -> None:
    assert manifest_for(ADDRESS)["oauth_config"] == manifest()["oauth_config"]


@pytest.mark.parametrize("given", ["http://bot.example.com", "bot.example.com", "https://", "ftp://bot.example.com"])
def test_an_address_that_slack_would_not_call_is_refused(given: str) -> None:
    with pytest.raises(Invalid, match="is not an https:// address"):
        manifest_for(given)
