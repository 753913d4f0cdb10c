"""Payloads in Slack's form encoding are decoded unchanged; votes are read without Bolt as with it."""

import json
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_bolt import BoltRequest

from bot.slack.inbound.payload_schema import PARSED
from bot.slack.inbound.requests import read_request, read_vote, unwrapped

PEOPLE = {"user": {"id": "U_ANA", "team_id": "T"}, "team": {"id": "T", "domain": "here"}, "response_url": "https://s/1"}
PRESSED = {"type": "button", "value": '7|label|é 🙂 "&%+\\', "action_ts": "1700000000.123456"}
FORM = {
    "type": "modal", "callback_id": "answer_form", "private_metadata": "7|5", "blocks": [{"type": "input"}],
    "state": {"values": {"label": {"x": {"selected_option": {"value": "refund"}}}, "note": {"y": {"value": None}}}},
}  # fmt: skip


def button(action_id: str) -> dict[str, Any]:
    return PEOPLE | {"type": "block_actions", "actions": [PRESSED | {"action_id": action_id}], "more": [{"a": None}]}


VOTES = [button("vote:0"), button("undo"), PEOPLE | {"type": "view_submission", "view": FORM}]
OTHERS = [
    button("form:why"),
    button("vote:0") | {"actions": []},
    button("vote:0") | {"user": None},
    button("vote:0") | {"response_url": 7},
    PEOPLE | {"type": "view_submission", "view": FORM | {"callback_id": "flag"}},
    {"type": "event_callback", "event": {"type": "reaction_added"}},
]


def wrapped(said: object) -> bytes:
    return urlencode({"payload": json.dumps(said)}).encode()


@pytest.mark.parametrize("said", VOTES)
def test_a_vote_is_read_without_bolt_as_with_it(said: dict[str, Any]) -> None:
    asked = read_request(lambda: BoltRequest(body=unwrapped(wrapped(said))))
    assert asked is not None
    assert read_vote(wrapped(said)) == asked.context[PARSED]


@pytest.mark.parametrize("said", OTHERS)
def test_what_is_no_vote_is_left_to_bolt(said: dict[str, Any]) -> None:
    assert read_vote(wrapped(said)) is None


@pytest.mark.parametrize(
    "body",
    [b"", b"payload=", b"payload=%FF", b"payload={", b"command=vote", b"payload=" + 9000 * b"[", b"payload=1&a=2"],
)
def test_what_cannot_be_read_is_left_to_bolt(body: bytes) -> None:
    assert read_vote(body) is None


@given(st.text())
def test_whatever_was_wrapped_is_unwrapped(said: str) -> None:
    assert unwrapped(urlencode({"payload": said}).encode()) == said


@pytest.mark.parametrize("said", ["a\r\nb\rc\n", "ends with =\r\n", "50 %", "%41 =41 a+b", "\t \n", "_.-~ é 🙂"])
def test_what_looks_like_an_escape_stays_as_it_was_said(said: str) -> None:
    assert unwrapped(urlencode({"payload": said}).encode()) == said


@pytest.mark.parametrize(
    "body", ['{"type":"event_callback"}', "command=%2Fgoldloop&text=stats", "payload=1&more=2", ""]
)
def test_what_is_no_wrapped_json_is_left_alone(body: str) -> None:
    assert unwrapped(body.encode()) == body


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(UnicodeDecodeError):
        unwrapped(b"payload=%FF")


@given(st.text("%=+-_ \t\r\n24Gg").map(str.encode))
def test_what_is_no_code_is_left_as_it_is(coded: bytes) -> None:
    assert unwrapped(b"payload=" + coded) == unquote_to_bytes(coded.replace(b"+", b" ")).decode()
