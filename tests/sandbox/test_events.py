"""The Events API: subscriptions, retries at once / 1 min / 5 min, and events that come twice, late or out of order."""

from dataclasses import replace

import pytest
from slack_bolt import App
from slack_sdk import WebClient

from bot.sandbox.client import Person, SandboxClient
from bot.sandbox.config import MetadataSubscription, SandboxConfig
from bot.sandbox.server import serve
from bot.sandbox.wire import Json
from tests.sandbox.conftest import CONFIG, Heard, connect, disconnect


def envelopes(box: SandboxClient) -> list[Json]:
    return [each for each in box.inspector() if each["kind"] == "envelope"]


def test_an_event_comes_in_slacks_envelope(heard: Heard, ana: Person, box: SandboxClient) -> None:
    message = ana.post("review", "hello")
    box.wait_for(lambda: heard.events("message"))
    body = heard.last
    assert (body["type"], body["api_app_id"], body["team_id"]) == ("event_callback", "A_LOOP", "T_LOCAL")
    assert body["event_id"].startswith("Ev")
    assert body["authorizations"][0] == {
        "enterprise_id": None,
        "team_id": "T_LOCAL",
        "user_id": "loop",
        "is_bot": True,
        "is_enterprise_install": False,
    }
    event = body["event"]
    assert (event["text"], event["user"], event["channel"]) == ("hello", "U_ANA", "C_REVIEW")
    assert (event["channel_type"], event["ts"], event["event_ts"]) == ("channel", message.ts, message.ts)


def test_an_app_hears_nothing_where_its_bot_is_not(heard: Heard, box: SandboxClient, ana: Person) -> None:
    ana.post("town", "private matter")
    ana.post("review", "public matter")
    box.wait_for(lambda: heard.events("message"))
    assert [each["text"] for each in heard.events("message")] == ["public matter"]


def test_a_mention_is_an_event_of_its_own(heard: Heard, ana: Person, box: SandboxClient) -> None:
    ana.post("review", "<@loop> help")
    box.wait_for(lambda: heard.events("app_mention"))
    assert heard.events("app_mention")[0]["text"] == "<@loop> help"


def test_changes_and_deletions_are_messages_with_subtypes(heard: Heard, ana: Person, box: SandboxClient) -> None:
    message = ana.edit(ana.post("review", "helo"), "hello")
    assert message.edited
    ana.delete(message)
    box.wait_for(lambda: len(heard.events("message")) == 3)
    found = {each.get("subtype"): each for each in heard.events("message")}
    assert found["message_changed"]["message"]["text"] == "hello"
    assert found["message_changed"]["previous_message"]["text"] == "helo"
    assert found["message_deleted"]["deleted_ts"] == message.ts


def test_the_bots_own_doings_are_sent_and_bolt_ignores_them(
    heard: Heard, web: WebClient, connected: App, box: SandboxClient
) -> None:
    """slack_bolt middleware/ignoring_self_events: acknowledged, but no listener is called."""
    called: list[Json] = []
    connected.event("reaction_added")(lambda event: called.append(event))
    ts = web.chat_postMessage(channel="C_REVIEW", text="report")["ts"]
    web.reactions_add(channel="C_REVIEW", timestamp=ts, name="eyes")
    box.wait_for(lambda: len([each for each in box.inspector() if each["kind"] == "ack" and each["ok"]]) == 2)
    assert called == []


def test_people_come_go_and_change(heard: Heard, box: SandboxClient, web: WebClient) -> None:
    box.invite("dan", "review")
    box.kick("ben", "review")
    box.deactivate("ana")
    box.add_person("U_NEW", "nia", channels=["review"])
    box.wait_for(lambda: len(heard.bodies) >= 5)
    assert [each["user"] for each in heard.events("member_joined_channel")] == ["U_DAN", "U_NEW"]
    assert [each["user"] for each in heard.events("member_left_channel")] == ["U_BEN"]
    assert heard.events("user_change")[0]["user"]["deleted"] is True
    assert web.conversations_members(channel="C_REVIEW")["members"] == ["U_CLEO", "U_EXT", "loop", "U_DAN", "U_NEW"]


METADATA: Json = {"event_type": "task_created", "event_payload": {"id": "TK-1"}}


def metadata_events(box: SandboxClient) -> list[Json]:
    found = [each for each in envelopes(box) if each["retry_attempt"] == 0]
    return [each["payload"]["event"] for each in found if each["payload"]["event"]["type"] == "message_metadata_posted"]


def test_metadata_is_an_event_of_its_own(web: WebClient, box: SandboxClient) -> None:
    """docs reference/events/message_metadata_posted."""
    ts = web.chat_postMessage(channel="C_REVIEW", text="task", metadata=METADATA)["ts"]
    web.chat_postMessage(channel="C_REVIEW", text="without")
    (event,) = box.wait_for(lambda: metadata_events(box))
    assert (event["app_id"], event["bot_id"], event["user_id"]) == ("A_LOOP", "B_A_LOOP", "loop")
    assert (event["channel_id"], event["message_ts"], event["metadata"]) == ("C_REVIEW", ts, METADATA)


@pytest.mark.parametrize(("kind", "told"), [("task_created", 1), ("task_closed", 0)])
def test_metadata_goes_to_those_who_asked_for_its_type(kind: str, told: int) -> None:
    wanted = (MetadataSubscription("A_LOOP", kind),)
    config = replace(CONFIG, apps=(replace(CONFIG.apps[0], metadata_subscriptions=wanted),))
    with serve(config) as address, SandboxClient(address) as box:
        web = WebClient("xoxb-A_LOOP", base_url=f"{address}/api/")
        web.chat_postMessage(channel="C_REVIEW", text="task", metadata=METADATA)
        box.wait_for(lambda: len([each for each in box.inspector() if each["kind"] == "ack"]) == 2 * (1 + told))
        assert len(metadata_events(box)) == told


@pytest.mark.slow
def test_an_unacknowledged_event_comes_again_at_once_after_a_minute_and_after_five(
    connected: App, ana: Person, box: SandboxClient
) -> None:
    """docs apis/events-api: up to three retries; Socket Mode says so in retry_attempt and retry_reason."""
    ana.post("review", "no app listens")
    box.wait_for(lambda: len(envelopes(box)) == 2)
    box.wait_for(lambda: len([each for each in box.inspector() if each["kind"] == "ack"]) == 2)
    box.advance(59)
    assert len(envelopes(box)) == 2
    box.advance(1)
    box.wait_for(lambda: len([each for each in box.inspector() if each["kind"] == "ack"]) == 3)
    box.advance(300)
    box.wait_for(lambda: len([each for each in box.inspector() if each["kind"] == "ack"]) == 4)
    box.advance(3600)
    found = envelopes(box)
    assert [each["retry_attempt"] for each in found] == [0, 1, 2, 3]
    assert [each["retry_reason"] for each in found] == ["", "timeout", "timeout", "timeout"]
    assert len({each["payload"]["event_id"] for each in found}) == 1


def test_an_event_waits_for_an_app_that_comes_back(ana: Person, box: SandboxClient, app: App) -> None:
    ana.post("review", "while you were away")
    box.wait_for(lambda: len(envelopes(box)) == 2)
    heard = Heard(app)
    handler = connect(app)
    box.advance(60)
    box.wait_for(lambda: heard.events("message"))
    assert heard.headers[-1]["x-slack-retry-num"] == "2"
    disconnect(box, handler)


def test_events_can_be_made_to_come_twice(heard: Heard, ana: Person, box: SandboxClient) -> None:
    box.events("twice")
    ana.post("review", "echo")
    box.wait_for(lambda: len(heard.bodies) == 2)
    assert heard.bodies[0]["event_id"] == heard.bodies[1]["event_id"]


def test_events_can_be_made_to_come_late(heard: Heard, ana: Person, box: SandboxClient) -> None:
    box.events("late")
    ana.post("review", "slow")
    assert heard.bodies == []
    box.advance(5)
    box.wait_for(lambda: heard.bodies)


def test_events_can_be_made_to_come_out_of_order(heard: Heard, ana: Person, box: SandboxClient) -> None:
    box.events("reordered")
    for word in ("one", "two"):
        ana.post("review", word)
    box.wait_for(lambda: len(heard.bodies) == 2)
    assert [each["text"] for each in heard.events("message")] == ["two", "one"]
    box.events("normal")
    ana.post("review", "three")
    box.wait_for(lambda: len(heard.bodies) == 3)


class TestASelectiveApp:
    """An app hears what it subscribed to and has the scope for (hermes-agent #44508: otherwise silence)."""

    @pytest.fixture
    def config(self) -> SandboxConfig:
        app = replace(CONFIG.apps[0], events=("message.groups", "reaction_added"), scopes=("groups:history",))
        return replace(CONFIG, apps=(app,))

    def test_it_hears_only_that(self, heard: Heard, box: SandboxClient, ana: Person) -> None:
        ana.post("review", "public")
        ana.react(ana.messages("review")[0], "eyes")
        box.person("cleo").post("leads", "private")
        box.wait_for(lambda: heard.bodies)
        assert [body["event"]["channel_type"] for body in heard.bodies] == ["group"]
        assert any("reactions:read" in str(each.get("text")) for each in box.inspector())
