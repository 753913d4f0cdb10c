"""What Slack is sent, as the tests read it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from bot.sandbox.errors import SlackError
from bot.sandbox.limits import check_view, validate
from bot.slack.blocks import Message, View
from bot.slack.views.mrkdwn import moment
from tests.bot.cards import AT
from tests.bot.hostile import LIVE
from tests.people import ANA, BEN, CLEO

OURS = {f"<@{person}>" for person in (ANA, BEN, CLEO)} | {moment(AT)}
LINK = re.compile(r"<(https?://[!-~]{1,900}?)(?:\|\1|\|(?:T-|[Ii]tem )\d+)?>")  # that shows where it leads, or is ours
MOST = 13_000  # characters of JSON, above which Slack was seen to refuse a message


def marked(body: Any) -> Iterator[str]:
    """Every text in which Slack looks for marks."""
    if isinstance(body, dict):
        if body.get("type") == "mrkdwn":
            yield body["text"]
        for part in body.values():
            yield from marked(part)
    elif isinstance(body, list):
        for part in body:
            yield from marked(part)


def live(text: str) -> list[str]:
    for mark in OURS:
        text = text.replace(mark, "")
    return LIVE.findall(LINK.sub("", text))


def check(drawn: Message | View) -> str:
    """Slack takes it, it fits, and nothing of a stranger's is live in it. Returns what it says."""
    if isinstance(drawn, View):
        try:
            check_view(drawn.body, drawn.body["type"], {})
        except SlackError as error:
            pytest.fail(str(error))
        assert [mark for text in marked(drawn.body) for mark in live(text)] == []
        return said(drawn.body)
    assert validate(drawn.blocks, "message") == []
    assert len(json.dumps(drawn.blocks)) < MOST
    assert 0 < len(drawn.text) <= 3500
    assert [mark for text in [drawn.text, *marked(drawn.blocks)] for mark in live(text)] == []
    return said(drawn.blocks)


def said(body: Any) -> str:
    """As one reads it: without the zero-width spaces that break marks."""
    return json.dumps(body, ensure_ascii=False).replace("\u200b", "")
