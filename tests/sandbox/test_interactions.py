"""Interactions of people: the payloads of docs.slack.dev reference/interaction-payloads, response_url, reactions."""

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient, WebhookClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.client import ControlError, Person, SandboxClient
from bot.sandbox.emoji import standard
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.wire import Json
from tests.sandbox.conftest import Heard, actions, button, code, text
from tests.sandbox.test_chat import refused

OPTIONS = [{"text": text(words), "value": words.lower()} for words in ("Spam", "Refund", "Other")]
CONTROLS = [
    actions(
        button("vote", "Refund", value="42", style="primary"),
        {"type": "overflow", "action_id": "more", "options": OPTIONS[:2]},
        {"type": "static_select", "action_id": "pick", "options": OPTIONS},
        {"type": "users_select", "action_id": "who"},
        {"type": "checkboxes", "action_id": "boxes", "options": OPTIONS},
        {"type": "datepicker", "action_id": "day", "initial_date": "2026-01-01"},
        {"type": "multi_static_select", "action_id": "several", "options": OPTIONS},
    )
]


def posted(web: WebClient, person: Person) -> Json:
    web.chat_postMessage(channel="C_REVIEW", text="card", blocks=CONTROLS, metadata=METADATA)
    return {"message": person.messages("review")[-1]}


METADATA = {"event_type": "card", "event_payload": {"item": "42"}}


def test_a_button_in_a_message_sends_what_slack_sends(heard: Heard, web: WebClient, ana: Person) -> None:
    ana.click(posted(web, ana)["message"], "Refund")
    body = heard.last
    message = body["message"]
    assert body["type"] == "block_actions"
    assert body["user"] == {"id": "U_ANA", "username": "ana", "name": "ana", "team_id": "T_LOCAL"}
    assert body["team"] == {"id": "T_LOCAL", "domain": "local"}
    assert body["channel"] == {"id": "C_REVIEW", "name": "review"}
    assert body["container"] == {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": "C_REVIEW",
        "is_ephemeral": False,
    }
    assert (body["api_app_id"], body["enterprise"], body["is_enterprise_install"]) == ("A_LOOP", None, False)
    assert body["trigger_id"]
    assert "/response/" in body["response_url"]
    assert message["metadata"] == METADATA
    action = body["actions"][0]
    assert {name: action[name] for name in ("type", "action_id", "block_id", "value", "style")} == {
        "type": "button",
        "action_id": "vote",
        "block_id": "row",
        "value": "42",
        "style": "primary",
    }
    assert action["text"] == {"type": "plain_text", "text": "Refund", "emoji": True}
    assert float(action["action_ts"]) > float(message["ts"])
    assert body["state"]["values"]["row"]["pick"] == {"type": "static_select", "selected_option": None}
    assert body["state"]["values"]["row"]["day"] == {"type": "datepicker", "selected_date": "2026-01-01"}


@pytest.mark.parametrize(
    ("action_id", "value", "key", "expected"),
    [
        ("pick", "spam", "selected_option", "spam"),
        ("pick", "Refund", "selected_option", "refund"),
        ("who", "U_BEN", "selected_user", "U_BEN"),
        ("boxes", ["spam", "other"], "selected_options", ["spam", "other"]),
        ("several", ["refund"], "selected_options", ["refund"]),
        ("day", "2026-02-03", "selected_date", "2026-02-03"),
    ],
)
def test_choosing_sends_the_choice_and_keeps_it_in_the_state(
    heard: Heard, web: WebClient, ana: Person, action_id: str, value: object, key: str, expected: object
) -> None:
    message = posted(web, ana)["message"]
    assert ana.choose(message, action_id, value).ok
    chosen = heard.last["actions"][0][key]
    if isinstance(chosen, list):
        assert [each["value"] for each in chosen] == expected
    else:
        assert (chosen["value"] if isinstance(chosen, dict) else chosen) == expected
    ana.click(message, "vote")
    assert heard.last["state"]["values"]["row"][action_id][key] == chosen


def test_an_overflow_menu_sends_the_entry(heard: Heard, web: WebClient, ana: Person) -> None:
    ana.click(posted(web, ana)["message"], "Spam")
    assert heard.last["actions"][0]["selected_option"]["value"] == "spam"


def test_choices_are_each_persons_own(heard: Heard, web: WebClient, ana: Person, ben: Person) -> None:
    message = posted(web, ana)["message"]
    ana.choose(message, "pick", "spam")
    ben.click(message, "vote")
    assert heard.last["state"]["values"]["row"]["pick"]["selected_option"] is None


def test_what_is_not_there_cannot_be_clicked(heard: Heard, web: WebClient, ana: Person) -> None:
    message = posted(web, ana)["message"]
    with pytest.raises(ControlError, match=r"There is no button 'Explode' here\. Buttons: 'Refund'"):
        ana.click(message, "Explode")
    with pytest.raises(ControlError, match="There is no option 'ham'"):
        ana.choose(message, "pick", "ham")


def test_a_button_in_an_ephemeral_message_names_it_by_container_only(heard: Heard, web: WebClient, ana: Person) -> None:
    web.chat_postEphemeral(channel="C_REVIEW", user="U_ANA", text="x", blocks=CONTROLS)
    ana.click(ana.messages("review")[-1], "Refund")
    assert heard.last["container"]["is_ephemeral"] is True
    assert "message" not in heard.last


def test_private_channels_are_called_privategroup(heard: Heard, web: WebClient, box: SandboxClient) -> None:
    web.chat_postMessage(channel="C_LEADS", text="card", blocks=CONTROLS)
    cleo = box.person("cleo")
    cleo.click(cleo.messages("leads")[-1], "Refund")
    assert heard.last["channel"] == {"id": "C_LEADS", "name": "privategroup"}


def test_an_outsider_carries_the_id_of_their_own_team(heard: Heard, web: WebClient, box: SandboxClient) -> None:
    """docs apis/slack-connect: user.team_id is not the workspace the app is installed in."""
    message = posted(web, box.person("ana"))["message"]
    box.person("xena").click(message, "Refund")
    assert (heard.last["user"]["team_id"], heard.last["team"]["id"]) == ("T_OTHER", "T_LOCAL")
    with pytest.raises(ControlError, match="People from other workspaces cannot use commands"):
        box.person("xena").command("/loop", "review")


def response_url(heard: Heard, web: WebClient, person: Person) -> WebhookClient:
    person.click(posted(web, person)["message"], "Refund")
    return WebhookClient(heard.last["response_url"])


def test_a_response_url_takes_five_answers(heard: Heard, web: WebClient, ana: Person, ben: Person) -> None:
    """docs interactivity/handling-user-interaction: 5 times within 30 minutes, ephemeral by default."""
    hook = response_url(heard, web, ana)
    codes = [hook.send(text=str(number)).status_code for number in range(6)]
    assert codes == [200] * 5 + [404]
    assert [each.text for each in ana.messages("review")] == ["card", "0", "1", "2", "3", "4"]
    assert [each.text for each in ben.messages("review")] == ["card"]


def test_a_response_url_ends_after_half_an_hour(heard: Heard, web: WebClient, ana: Person, box: SandboxClient) -> None:
    hook = response_url(heard, web, ana)
    box.advance(30 * 60 - 1)
    assert hook.send(text="just in time").status_code == 200
    box.advance(2)
    assert "expired_url" in hook.send(text="too late").body


def test_a_response_replaces_deletes_or_posts_to_all(heard: Heard, web: WebClient, ana: Person, ben: Person) -> None:
    hook = response_url(heard, web, ana)
    hook.send(text="for all", response_type="in_channel")
    hook.send(text="replaced", replace_original=True)
    assert [each.text for each in ben.messages("review")] == ["replaced", "for all"]
    hook.send(delete_original=True)
    assert [each.text for each in ben.messages("review")] == ["for all"]


def test_a_response_with_bad_blocks_is_refused_and_not_counted(heard: Heard, web: WebClient, ana: Person) -> None:
    hook = response_url(heard, web, ana)
    answer = hook.send(text="x", blocks=[{"type": "sausage"}])
    assert (answer.status_code, "invalid_blocks" in answer.body) == (400, True)
    assert [hook.send(text="x").status_code for _ in range(5)] == [200] * 5


def test_an_ephemeral_receipt_is_replaced_through_its_own_button(
    connected: App, web: WebClient, ana: Person, box: SandboxClient
) -> None:
    """chat.update cannot reach it (docs chat.postEphemeral); the response_url of its button can."""

    def undo(ack: Ack, respond: Respond) -> None:
        ack()
        respond(text="Undone", replace_original=True)

    connected.action("undo")(undo)
    web.chat_postEphemeral(channel="C_REVIEW", user="U_ANA", text="Recorded", blocks=[actions(button("undo", "Undo"))])
    ana.click(ana.messages("review")[-1], "Undo")
    receipt = box.wait_for(lambda: [each for each in ana.messages("review") if each.text == "Undone"])[0]
    assert (receipt.ephemeral, receipt.blocks) == (True, [])


def test_a_command_is_answered_in_its_acknowledgement(connected: App, ana: Person, ben: Person) -> None:
    def stats(ack: Ack, body: Json) -> None:
        ack(f"{body['command']} {body['text']} in {body['channel_name']}")

    connected.command("/loop")(stats)
    assert ana.command("/loop stats all", "review").response == {"text": "/loop stats all in review"}
    assert [(each.text, each.ephemeral) for each in ana.messages("review")] == [("/loop stats all in review", True)]
    assert ben.messages("review") == []


def test_a_command_that_is_not_acknowledged_fails_in_slackbots_words(connected: App, ana: Person) -> None:
    assert ana.command("/loop", "review").error == '/loop failed with the error "operation_timeout"'
    with pytest.raises(ControlError, match="No app has the command /nothing"):
        ana.command("/nothing", "review")


def test_slacks_own_command_invites_people_and_apps(box: SandboxClient, ana: Person) -> None:
    box.kick("loop", "review")
    box.kick("ben", "review")
    assert ana.command("/invite @loop @ben", "review").ok
    members = next(each for each in box.state()["channels"] if each["name"] == "review")["members"]
    assert {"U_BEN", "loop"} <= set(members)
    for words, sentence in (("/invite", "Name the person to invite"), ("/invite @stranger", "no person 'stranger'")):
        with pytest.raises(ControlError, match=sentence):
            ana.command(words, "review")


def test_the_channel_shows_who_was_added_and_by_whom(
    heard: Heard, box: SandboxClient, ana: Person, ben: Person
) -> None:
    ana.command("/invite @dan @ben", "review")
    (shown,) = box.get("messages", person="ben", channel="review")["messages"]  # ben was there already
    assert (shown["subtype"], shown["user"], shown["inviter"]) == ("channel_join", "U_DAN", "U_ANA")
    assert shown["text"] == "<@U_DAN> has joined the channel"
    event = box.wait_for(lambda: heard.events("message"))[0]
    assert (event["subtype"], event["inviter"]) == ("channel_join", "U_ANA")


def test_commands_cannot_be_used_in_threads(box: SandboxClient, ana: Person) -> None:
    """docs interactivity/implementing-slash-commands."""
    with pytest.raises(ControlError, match="threads"):
        box.do("command", person="ana", channel="review", text="/loop", thread_ts="1.0")


def test_a_message_shortcut_carries_the_message(heard: Heard, ana: Person, ben: Person) -> None:
    message = ben.post("review", "odd ticket")
    assert ana.shortcut(message, "flag").ok
    body = heard.last
    assert (body["type"], body["callback_id"], body["message_ts"]) == ("message_action", "flag", message.ts)
    assert (body["message"]["text"], body["message"]["user"]) == ("odd ticket", "U_BEN")
    assert body["trigger_id"]
    assert body["response_url"]


def test_a_global_shortcut_has_no_channel(heard: Heard, ana: Person) -> None:
    assert ana.global_shortcut("new").ok
    assert heard.last["type"] == "shortcut"
    assert "channel" not in heard.last


def test_an_external_select_asks_the_app(connected: App, web: WebClient, ana: Person) -> None:
    asked: list[Json] = []

    def offer(ack: Ack, body: Json) -> None:
        asked.append(body)
        ack(options=[each for each in OPTIONS if body["value"].lower() in each["value"]])

    connected.options("label")(offer)
    connected.action("label")(lambda ack: ack())
    select = {"type": "external_select", "action_id": "label", "min_query_length": 1}
    web.chat_postMessage(channel="C_REVIEW", text="x", blocks=[actions(select)])
    message = ana.messages("review")[-1]

    assert [each["value"] for each in ana.suggestions(message, "label", "ref")] == ["refund"]
    assert (asked[0]["type"], asked[0]["action_id"], asked[0]["value"]) == ("block_suggestion", "label", "ref")
    assert ana.choose(message, "label", "refund").ok


def test_an_external_select_takes_at_most_a_hundred_options(connected: App, web: WebClient, ana: Person) -> None:
    many = [{"text": text(str(number)), "value": str(number)} for number in range(101)]
    connected.options("label")(lambda ack: ack(options=many))
    web.chat_postMessage(
        channel="C_REVIEW", text="x", blocks=[actions({"type": "external_select", "action_id": "label"})]
    )
    with pytest.raises(ControlError, match="more than 100"):
        ana.suggestions(ana.messages("review")[-1], "label", "1")


def test_reactions_tell_the_app_who_and_what(heard: Heard, web: WebClient, ana: Person) -> None:
    ts = web.chat_postMessage(channel="C_REVIEW", text="report")["ts"]
    report = ana.messages("review")[-1]
    assert ana.react(report, ":white_check_mark:").ok
    assert ana.messages("review")[-1].reactions == {"white_check_mark": ["U_ANA"]}
    assert ana.unreact(report, "white_check_mark").ok
    added, removed = heard.events("reaction_added")[0], heard.events("reaction_removed")[0]
    assert {name: added[name] for name in ("user", "reaction", "item", "item_user")} == {
        "user": "U_ANA",
        "reaction": "white_check_mark",
        "item": {"type": "message", "channel": "C_REVIEW", "ts": ts},
        "item_user": "loop",
    }
    assert float(removed["event_ts"]) > float(added["event_ts"])


def test_a_second_reaction_is_already_there_and_a_missing_one_is_not(web: WebClient, ana: Person) -> None:
    place = {"channel": "C_REVIEW", "timestamp": web.chat_postMessage(channel="C_REVIEW", text="x")["ts"]}
    web.reactions_add(**place, name="eyes")
    assert refused(web, "reactions.add", **place, name="eyes") == "already_reacted"
    web.reactions_remove(**place, name="eyes")
    assert refused(web, "reactions.remove", **place, name="eyes") == "no_reaction"
    assert refused(web, "reactions.add", **place, name="no such!") == "invalid_name"
    with pytest.raises(ControlError, match="no_reaction"):
        ana.unreact(ana.messages("review")[-1], "eyes")


def test_skin_tones_and_second_names_of_emoji(web: WebClient, ana: Person, heard: Heard) -> None:
    """gratibot #928: a reaction may end in ::skin-tone-N; thumbsup arrives as +1."""
    web.chat_postMessage(channel="C_REVIEW", text="x")
    ana.react(ana.messages("review")[-1], "thumbsup::skin-tone-4")
    assert heard.events("reaction_added")[0]["reaction"] == "+1::skin-tone-4"


def test_an_emoji_that_the_workspace_does_not_have_is_refused(web: WebClient, ana: Person, box: SandboxClient) -> None:
    message = ana.post("review", "x")
    for name in ("no_such_emoji", "party_parrot"):
        with pytest.raises(SlackApiError) as error:
            web.reactions_add(channel="C_REVIEW", timestamp=message.ts, name=name)
        assert code(error.value) == "invalid_name"
    with pytest.raises(ControlError, match="invalid_name"):
        ana.react(message, "no_such_emoji")


def test_a_workspace_may_have_emoji_of_its_own(sandbox: Sandbox, web: WebClient, ana: Person) -> None:
    sandbox.workspace.config = replace(sandbox.workspace.config, emoji=("party_parrot",))
    message = ana.post("review", "x")
    web.reactions_add(channel="C_REVIEW", timestamp=message.ts, name="party_parrot")
    assert ana.messages("review")[0].reactions == {"party_parrot": ["loop"]}


def test_every_emoji_of_the_page_is_one_of_slacks() -> None:
    table = Path("bot/sandbox/static/emoji.js").read_text(encoding="utf-8").partition("export")[0]
    rows = [row.split() for rows in re.findall("`([^`]+)`", table) for row in rows.split("|")]
    assert len(rows) > 400
    assert [row[0] for row in rows if row[0] not in standard()] == []


def test_someone_who_only_previews_a_public_channel_can_react(web: WebClient, heard: Heard, box: SandboxClient) -> None:
    web.chat_postMessage(channel="C_REVIEW", text="x")
    dan = box.person("dan")
    assert dan.react(dan.messages("review")[-1], "x").ok
    assert heard.events("reaction_added")[0]["user"] == "U_DAN"


def test_an_acknowledgement_is_timed(connected: App, web: WebClient, ana: Person) -> None:
    def slow(ack: Ack) -> None:
        time.sleep(0.05)
        ack()

    connected.action("vote")(slow)
    outcome = ana.click(posted(web, ana)["message"], "Refund")
    assert outcome.ok
    assert 50 <= outcome.ms < 300
