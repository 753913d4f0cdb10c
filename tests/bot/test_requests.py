"""Payloads in Slack's form encoding are decoded unchanged."""

from urllib.parse import unquote_to_bytes, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.inbound.requests import unwrapped


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
