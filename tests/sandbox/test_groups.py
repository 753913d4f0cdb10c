"""User groups: scopes, answers, and the events for a change."""

from dataclasses import replace

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.client import SandboxClient
from bot.sandbox.config import GroupConfig, SandboxConfig, config_from_dict
from bot.sandbox.server import serve
from tests.sandbox.conftest import CONFIG, Heard, code

LEADS = GroupConfig("S_LEADS", "leads", "The leads", members=("cleo", "U_ANA"))
OLD = GroupConfig("S_OLD", "old", members=("ben",), disabled=True)


@pytest.fixture
def config() -> SandboxConfig:
    return replace(CONFIG, groups=(LEADS, OLD))


def test_the_people_of_a_group_are_listed(web: WebClient) -> None:
    assert web.usergroups_users_list(usergroup="S_LEADS")["users"] == ["U_CLEO", "U_ANA"]


@pytest.mark.parametrize("group", ["S_OLD", "S_NONE", "leads"])
def test_a_group_that_is_disabled_or_unknown_or_named_by_its_handle_is_not_found(web: WebClient, group: str) -> None:
    with pytest.raises(SlackApiError) as refused:
        web.usergroups_users_list(usergroup=group)
    assert code(refused.value) == "no_such_subteam"


def test_disabled_groups_and_people_are_listed_where_they_are_asked_for(web: WebClient) -> None:
    assert [one["id"] for one in web.usergroups_list()["usergroups"]] == ["S_LEADS"]
    listed = web.usergroups_list(include_disabled=True, include_users=True)["usergroups"]
    assert [(one["handle"], one["users"], bool(one["date_delete"])) for one in listed] == [
        ("leads", ["U_CLEO", "U_ANA"], False),
        ("old", ["U_BEN"], True),
    ]
    assert web.usergroups_users_list(usergroup="S_OLD", include_disabled=True)["users"] == ["U_BEN"]


def test_apps_hear_who_came_and_who_went(heard: Heard, box: SandboxClient) -> None:
    box.change_group("leads", members=["ana", "ben"])
    box.wait_for(lambda: heard.events("subteam_updated"))
    [changed], [updated] = heard.events("subteam_members_changed"), heard.events("subteam_updated")
    assert changed["subteam_id"] == "S_LEADS"
    assert (changed["added_users"], changed["removed_users"]) == (["U_BEN"], ["U_CLEO"])
    assert updated["subteam"]["users"] == ["U_ANA", "U_BEN"]


def test_apps_hear_that_a_group_was_disabled(heard: Heard, box: SandboxClient) -> None:
    box.add_group("S_NEW", "new", members=["dan"])
    box.change_group("S_NEW", disabled=True)
    box.wait_for(lambda: heard.events("subteam_updated"))
    assert heard.events("subteam_updated")[0]["subteam"]["date_delete"] > 0


@pytest.mark.parametrize("method", ["usergroups.list", "usergroups.users.list"])
def test_it_takes_a_scope_to_ask(method: str) -> None:
    app = replace(CONFIG.apps[0], scopes=("users:read",))
    with serve(replace(CONFIG, apps=(app,), groups=(LEADS,))) as address, pytest.raises(SlackApiError) as refused:
        WebClient("xoxb-A_LOOP", base_url=f"{address}/api/").api_call(method, params={"usergroup": "S_LEADS"})
    assert (code(refused.value), refused.value.response["needed"]) == ("missing_scope", "usergroups:read")


def test_a_toml_file_may_have_groups() -> None:
    people = [{"id": "U1", "name": "ana"}]
    groups = [{"id": "S1", "handle": "leads", "members": ["ana"]}]
    assert config_from_dict({"people": people, "groups": groups}).groups == (
        GroupConfig("S1", "leads", members=("ana",)),
    )
