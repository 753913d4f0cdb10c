"""chat.* with slack_sdk's WebClient; error codes from the method pages of docs.slack.dev."""

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.client import ControlError, Person, SandboxClient
from bot.sandbox.wire import Json
from tests.sandbox.conftest import actions, button, code, text

CARD = [actions(button("vote", "Refund"))]


def refused(web: WebClient, method: str, **arguments: object) -> str:
    with pytest.raises(SlackApiError) as error:
        web.api_call(method, json=arguments)
    return code(error.value)


def test_a_message_comes_back_in_slacks_shape(web: WebClient, ana: Person) -> None:
    answer = web.chat_postMessage(channel="C_REVIEW", text="card", blocks=CARD)
    message = answer["message"]
    assert answer["channel"] == "C_REVIEW"
    assert message["ts"] == answer["ts"]
    assert (message["user"], message["bot_id"], message["app_id"]) == ("loop", "B_A_LOOP", "A_LOOP")
    assert message["blocks"][0]["elements"][0]["text"] == text("Refund") | {"emoji": True}
    assert [each.plain for each in ana.messages("review")] == ["card\nRefund"]


def test_blocks_without_ids_get_them(web: WebClient) -> None:
    element = {"type": "button", "text": text("Go")}
    block = web.chat_postMessage(channel="C_REVIEW", text="x", blocks=[{"type": "actions", "elements": [element]}])[
        "message"
    ]["blocks"][0]
    assert block["block_id"]
    assert block["elements"][0]["action_id"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C_NOWHERE", "text": "x"}, "channel_not_found"),
        ({"text": "x"}, "channel_not_found"),
        ({"channel": "C_SECRET", "text": "x"}, "channel_not_found"),  # private and not a member: it does not exist
        ({"channel": "C_TOWN", "text": "x"}, "not_in_channel"),
        ({"channel": "C_OLD", "text": "x"}, "is_archived"),
        ({"channel": "C_REVIEW"}, "no_text"),
        ({"channel": "C_REVIEW", "text": ""}, "no_text"),
        ({"channel": "C_REVIEW", "text": "x", "blocks": "[{"}, "invalid_blocks_format"),
        ({"channel": "C_REVIEW", "text": "x", "blocks": {"type": "divider"}}, "invalid_blocks_format"),
        ({"channel": "C_REVIEW", "text": "x", "blocks": [{"type": "sausage"}]}, "invalid_blocks"),
        ({"channel": "C_REVIEW", "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"channel": "C_REVIEW", "text": "x", "metadata": {"event_type": "a"}}, "invalid_metadata_schema"),
        ({"channel": "C_REVIEW", "text": "x", "attachments": [{}] * 101}, "too_many_attachments"),
        (
            {"channel": "C_REVIEW", "text": "x", "metadata": {"event_type": "a", "event_payload": {"b": "x" * 20_000}}},
            "metadata_too_large",
        ),
        ({"channel": "C_REVIEW", "text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
    ],
)
def test_posting_is_refused_with_slacks_code(web: WebClient, arguments: Json, error: str) -> None:
    assert refused(web, "chat.postMessage", **arguments) == error


def test_long_text_is_cut_when_posted_and_refused_when_updated(web: WebClient) -> None:
    """Truncated above 40,000 characters; chat.update answers msg_too_long above 4,000."""
    answer = web.chat_postMessage(channel="C_REVIEW", text="x" * 40_001)
    assert len(answer["message"]["text"]) == 40_000
    assert refused(web, "chat.update", channel="C_REVIEW", ts=answer["ts"], text="x" * 4_001) == "msg_too_long"


def test_a_channel_may_be_named(web: WebClient) -> None:
    assert web.chat_postMessage(channel="#review", text="x")["channel"] == "C_REVIEW"


def test_a_persons_id_means_their_direct_messages(web: WebClient, ana: Person, ben: Person) -> None:
    channel = web.chat_postMessage(channel="U_ANA", text="for you")["channel"]
    assert web.conversations_open(users="U_ANA")["channel"]["id"] == channel
    assert [each.text for each in ana.messages(channel)] == ["for you"]
    with pytest.raises(ControlError, match="cannot see a channel"):
        ben.messages(channel)


def test_an_update_keeps_blocks_that_it_does_not_name_and_removes_them_with_an_empty_list(web: WebClient) -> None:
    """docs chat.update: "If you don't include this field, the message's previous blocks will be retained"."""
    ts = web.chat_postMessage(channel="C_REVIEW", text="card", blocks=CARD)["ts"]
    kept = web.chat_update(channel="C_REVIEW", ts=ts, text="new")
    assert (kept["text"], len(kept["message"]["blocks"])) == ("new", 1)
    assert "blocks" not in web.chat_update(channel="C_REVIEW", ts=ts, text="new", blocks=[])["message"]


def test_only_an_update_without_blocks_is_marked_as_edited(web: WebClient, ana: Person) -> None:
    ts = web.chat_postMessage(channel="C_REVIEW", text="card", blocks=CARD)["ts"]
    web.chat_update(channel="C_REVIEW", ts=ts, text="card", blocks=CARD)
    assert not ana.messages("review")[0].edited
    web.chat_update(channel="C_REVIEW", ts=ts, text="card", blocks=[])
    assert ana.messages("review")[0].edited


def test_an_app_changes_only_its_own_messages(web: WebClient, ana: Person) -> None:
    theirs = ana.post("review", "mine")
    place = {"channel": "C_REVIEW", "ts": theirs.ts}
    assert refused(web, "chat.update", **place, text="x") == "cant_update_message"
    assert refused(web, "chat.delete", **place) == "cant_delete_message"
    assert refused(web, "chat.update", channel="C_REVIEW", ts="1.000001", text="x") == "message_not_found"
    assert refused(web, "chat.delete", channel="C_REVIEW", ts="1.000001") == "message_not_found"


def test_a_message_in_an_archived_channel_cannot_be_updated(web: WebClient, box: SandboxClient) -> None:
    ts = web.chat_postMessage(channel="C_REVIEW", text="card")["ts"]
    box.archive("review")
    assert refused(web, "chat.update", channel="C_REVIEW", ts=ts, text="x") == "is_inactive"


def test_a_deleted_message_is_gone(web: WebClient, ana: Person) -> None:
    ts = web.chat_postMessage(channel="C_REVIEW", text="card")["ts"]
    web.chat_delete(channel="C_REVIEW", ts=ts)
    assert ana.messages("review") == []


def test_an_ephemeral_message_is_seen_by_one_person_only(web: WebClient, ana: Person, ben: Person) -> None:
    answer = web.chat_postEphemeral(channel="C_REVIEW", user="U_ANA", text="psst")
    assert [(each.text, each.ephemeral) for each in ana.messages("review")] == [("psst", True)]
    assert ben.messages("review") == []
    assert web.conversations_history(channel="C_REVIEW")["messages"] == []
    assert refused(web, "chat.update", channel="C_REVIEW", ts=answer["message_ts"], text="x") == "message_not_found"


def test_a_person_outside_the_channel_gets_no_ephemeral_message(web: WebClient, box: SandboxClient) -> None:
    """user_not_in_channel; also after deactivation (docs chat.postEphemeral)."""
    assert refused(web, "chat.postEphemeral", channel="C_REVIEW", user="U_DAN", text="x") == "user_not_in_channel"
    box.deactivate("ana")
    assert refused(web, "chat.postEphemeral", channel="C_REVIEW", user="U_ANA", text="x") == "user_not_in_channel"


def test_replies_stand_in_their_thread(web: WebClient, ana: Person) -> None:
    ts = web.chat_postMessage(channel="C_REVIEW", text="card")["ts"]
    web.chat_postMessage(channel="C_REVIEW", text="reply", thread_ts=ts)
    web.chat_postMessage(channel="C_REVIEW", text="loud reply", thread_ts=ts, reply_broadcast=True)
    assert [each.text for each in ana.messages("review")] == ["card", "loud reply"]
    assert [each.text for each in ana.messages("review", ts)] == ["card", "reply", "loud reply"]
    parent = web.conversations_replies(channel="C_REVIEW", ts=ts)["messages"][0]
    assert (parent["reply_count"], parent["reply_users"]) == (2, ["loop"])


def test_metadata_is_kept_and_shown_when_asked_for(web: WebClient) -> None:
    metadata = {"event_type": "card", "event_payload": {"item": "42"}}
    ts = web.chat_postMessage(channel="C_REVIEW", text="card", metadata=metadata)["ts"]
    assert "metadata" not in web.conversations_history(channel="C_REVIEW")["messages"][0]
    found = web.conversations_history(channel="C_REVIEW", include_all_metadata=True)["messages"][0]
    assert found["metadata"] == metadata
    assert "metadata" not in web.chat_update(channel="C_REVIEW", ts=ts, text="x", metadata={})["message"]


def test_a_permalink_leads_to_a_message(web: WebClient) -> None:
    ts = web.chat_postMessage(channel="C_REVIEW", text="card")["ts"]
    link = web.chat_getPermalink(channel="C_REVIEW", message_ts=ts)["permalink"]
    assert link.endswith(f"/archives/C_REVIEW/p{ts.replace('.', '')}")


def test_arguments_may_come_as_a_form_or_as_json(web: WebClient) -> None:
    as_form = web.api_call(
        "chat.postMessage", params={"channel": "C_REVIEW", "text": "x", "blocks": '[{"type": "divider"}]'}
    )
    as_json = web.api_call(
        "chat.postMessage", json={"channel": "C_REVIEW", "text": "x", "blocks": [{"type": "divider"}]}
    )
    assert as_form["message"]["blocks"][0]["type"] == as_json["message"]["blocks"][0]["type"] == "divider"


def test_tokens_are_checked(address: str) -> None:
    def error(token: str | None) -> str:
        return refused(WebClient(token, base_url=f"{address}/api/"), "auth.test")

    assert error(None) == "not_authed"
    assert error("xoxb-wrong") == "invalid_auth"
    assert error("xapp-A_LOOP") == "not_allowed_token_type"


def test_an_unknown_method_is_named(web: WebClient) -> None:
    assert refused(web, "chat.shout") == "unknown_method"


def test_every_message_has_its_own_timestamp(web: WebClient) -> None:
    stamps = [web.chat_postMessage(channel="C_REVIEW", text="x")["ts"] for _ in range(20)]
    assert stamps == sorted(set(stamps))
