"""conversations.*, users.* and scopes."""

from dataclasses import replace

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.client import ControlError, Person, SandboxClient
from bot.sandbox.config import AppConfig, SandboxConfig
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.server import serving
from tests.sandbox.conftest import CONFIG, code
from tests.sandbox.test_chat import refused


def test_auth_test_tells_who_the_bot_is(web: WebClient) -> None:
    answer = web.auth_test()
    assert (answer["user_id"], answer["bot_id"], answer["team_id"]) == ("loop", "B_A_LOOP", "T_LOCAL")


def test_kinds_of_people_are_told_apart(web: WebClient, box: SandboxClient) -> None:
    box.deactivate("ben")
    people = {each["name"]: each for each in web.users_list()["members"]}
    assert people["ben"]["deleted"]
    assert people["gus"]["is_restricted"]
    assert people["xena"]["team_id"] == "T_OTHER"
    assert people["loop"]["is_bot"]
    assert people["cleo"]["is_admin"]
    assert (people["ana"]["tz"], people["ana"]["deleted"]) == ("Europe/Lisbon", False)
    assert web.users_info(user="U_ANA")["user"]["profile"]["real_name"] == "Ana Lima"
    assert refused(web, "users.info", user="U_UNKNOWN") == "user_not_found"


def test_a_profile_has_what_clients_require(web: WebClient, box: SandboxClient) -> None:
    """slack-machine's models.user refuses a user without these."""
    zoe = box.add_person("U_ZOE", "zoë", real_name="Zoë Núñez", email="zoe@acme.test")
    profile = web.users_profile_get(user=zoe.id)["profile"]
    assert web.users_list()["members"][-1]["profile"] == profile
    assert (profile["real_name_normalized"], profile["display_name_normalized"]) == ("Zoe Nunez", "zoe")
    assert len(profile["avatar_hash"]) == 12
    assert profile["email"] == "zoe@acme.test"
    assert web.users_profile_get()["profile"]["api_app_id"] == "A_LOOP"


def test_a_person_is_found_by_email(web: WebClient, box: SandboxClient) -> None:
    assert web.users_lookupByEmail(email="Ana@local.example")["user"]["id"] == "U_ANA"
    box.deactivate("ben")
    for address in ("ben@local.example", "stranger@local.example"):
        with pytest.raises(SlackApiError) as error:
            web.users_lookupByEmail(email=address)
        assert code(error.value) == "users_not_found"


def test_an_app_learns_about_its_bot_and_its_team(web: WebClient) -> None:
    bot = web.bots_info(bot=web.auth_test()["bot_id"])["bot"]
    assert (bot["user_id"], bot["app_id"], bot["name"], bot["deleted"]) == ("loop", "A_LOOP", "loop", False)
    team = web.team_info()["team"]
    assert (team["id"], team["name"], team["domain"]) == ("T_LOCAL", "Local workspace", "local")
    for method, arguments, error in (
        ("bots.info", {"bot": "B_NONE"}, "bot_not_found"),
        ("team.info", {"team": "T_OTHER"}, "team_not_found"),
    ):
        with pytest.raises(SlackApiError) as refused:
            web.api_call(method, params=arguments)
        assert code(refused.value) == error


def test_channels_tell_what_they_are(web: WebClient) -> None:
    leads = web.conversations_info(channel="C_LEADS")["channel"]
    assert (leads["is_private"], leads["is_member"], leads["is_archived"]) == (True, True, False)
    assert web.conversations_info(channel="C_TOWN")["channel"]["is_member"] is False
    assert web.conversations_info(channel="C_OLD")["channel"]["is_archived"] is True
    assert refused(web, "conversations.info", channel="C_SECRET") == "channel_not_found"


def test_lists_come_in_pages(web: WebClient) -> None:
    first = web.conversations_list(types="public_channel,private_channel", limit=2)
    rest = web.conversations_list(
        types="public_channel,private_channel", limit=2, cursor=first["response_metadata"]["next_cursor"]
    )
    assert [each["id"] for each in first["channels"]] == ["C_REVIEW", "C_LEADS"]
    assert [each["id"] for each in rest["channels"]] == ["C_TOWN", "C_OLD"]
    assert rest["response_metadata"]["next_cursor"] == ""
    assert sum(len(page["members"]) for page in web.users_list(limit=3)) == 7
    assert refused(web, "conversations.list", cursor="nonsense") == "invalid_cursor"


def test_the_bots_own_channels_are_listed(web: WebClient) -> None:
    found = web.users_conversations(types="public_channel,private_channel", exclude_archived=True)
    assert {each["id"] for each in found["channels"]} == {"C_REVIEW", "C_LEADS"}
    assert web.conversations_members(channel="C_LEADS")["members"] == ["U_CLEO", "loop"]


def test_a_bot_joins_a_public_channel_and_then_may_post(web: WebClient) -> None:
    web.conversations_join(channel="C_TOWN")
    assert web.chat_postMessage(channel="C_TOWN", text="hello")["ok"]


def test_history_is_newest_first_and_pages(web: WebClient, ana: Person) -> None:
    stamps = [ana.post("review", str(number)).ts for number in range(5)]
    page = web.conversations_history(channel="C_REVIEW", limit=2)
    assert [each["text"] for each in page["messages"]] == ["4", "3"]
    assert page["has_more"]
    following = web.conversations_history(channel="C_REVIEW", cursor=page["response_metadata"]["next_cursor"], limit=2)
    assert [each["text"] for each in following["messages"]] == ["2", "1"]
    between = web.conversations_history(channel="C_REVIEW", oldest=stamps[1], latest=stamps[3])
    assert [each["text"] for each in between["messages"]] == ["2"]
    exact = web.conversations_history(channel="C_REVIEW", oldest=stamps[3], latest=stamps[3], inclusive=True)
    assert [each["text"] for each in exact["messages"]] == ["3"]
    assert refused(web, "conversations.history", channel="C_TOWN") == "not_in_channel"
    assert refused(web, "conversations.replies", channel="C_REVIEW", ts="1.000001") == "thread_not_found"


def test_direct_messages_with_the_deactivated_are_refused(web: WebClient, box: SandboxClient) -> None:
    box.deactivate("ana")
    assert refused(web, "conversations.open", users="U_ANA") == "user_disabled"
    assert refused(web, "chat.postMessage", channel="U_ANA", text="x") == "channel_not_found"


@pytest.mark.parametrize(
    ("scopes", "method", "arguments", "needed"),
    [
        (("users:read",), "chat.postMessage", {"channel": "C_REVIEW", "text": "x"}, "chat:write"),
        (("channels:read",), "conversations.info", {"channel": "C_LEADS"}, "groups:read"),
        (("channels:read",), "conversations.history", {"channel": "C_REVIEW"}, "channels:history"),
        (("channels:read",), "conversations.list", {"types": "private_channel"}, "groups:read"),
        (("channels:read",), "files.getUploadURLExternal", {"filename": "a", "length": 1}, "files:write"),
        (("users:read",), "users.lookupByEmail", {"email": "ana@local.example"}, "users:read.email"),
        (("users:read",), "pins.add", {"channel": "C_REVIEW", "timestamp": "1.0"}, "pins:write"),  # not offered here
    ],
)
def test_a_missing_scope_is_named(
    scopes: tuple[str, ...], method: str, arguments: dict[str, object], needed: str
) -> None:
    app = replace(CONFIG.apps[0], scopes=scopes)
    with serving(Sandbox(replace(CONFIG, apps=(app,)))) as address:
        with pytest.raises(SlackApiError) as error:
            WebClient("xoxb-A_LOOP", base_url=f"{address}/api/").api_call(method, params=arguments)
        answer = error.value.response
    assert (code(error.value), answer["needed"], answer["provided"]) == ("missing_scope", needed, ",".join(scopes))


def test_an_unknown_method_is_named(web: WebClient) -> None:
    with pytest.raises(SlackApiError) as error:
        web.api_call("pins.add")
    assert (code(error.value), error.value.response["req_method"]) == ("unknown_method", "pins.add")


def test_the_email_address_needs_its_scope() -> None:
    app = replace(CONFIG.apps[0], scopes=("users:read", "users.profile:read"))
    with serving(Sandbox(replace(CONFIG, apps=(app,)))) as address:
        web = WebClient("xoxb-A_LOOP", base_url=f"{address}/api/")
        assert "email" not in web.users_info(user="U_ANA")["user"]["profile"]
        assert "email" not in web.users_profile_get(user="U_ANA")["profile"]


def test_chat_write_public_posts_where_the_bot_is_not() -> None:
    app = AppConfig("A_LOOP", "loop", scopes=("chat:write", "chat:write.public"))
    config = SandboxConfig(people=CONFIG.people, channels=CONFIG.channels[3:4], apps=(app,))
    with serving(Sandbox(config)) as address:
        assert WebClient("xoxb-A_LOOP", base_url=f"{address}/api/").chat_postMessage(channel="C_TOWN", text="x")["ok"]


def test_people_see_only_what_is_theirs(box: SandboxClient, ana: Person) -> None:
    """Private channels of others do not exist; guests see only the channels they are in."""
    guest = box.person("gus")
    with pytest.raises(ControlError, match="cannot see a channel"):
        ana.messages("secret")
    with pytest.raises(ControlError, match="cannot see a channel"):
        guest.messages("review")
    assert box.person("dan").messages("review") == []
    with pytest.raises(ControlError, match="not in review"):
        box.person("dan").post("review", "hi")


def test_the_deactivated_cannot_act(box: SandboxClient, ana: Person) -> None:
    box.deactivate("ana")
    with pytest.raises(ControlError, match="deactivated"):
        ana.post("review", "hi")
