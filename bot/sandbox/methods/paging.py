"""Cursors: a page of a list and the text that leads to the next one."""

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from bot.sandbox.arguments import Arguments
from bot.sandbox.errors import SlackError
from bot.sandbox.wire import Json

Entry = TypeVar("Entry")


def page(entries: Sequence[Entry], arguments: Arguments, default: int = 100) -> tuple[Sequence[Entry], str]:
    """The requested page and the next cursor, empty at the end. Raises invalid_cursor, invalid_limit."""
    limit = arguments.number("limit", default) or default
    if limit < 0:
        raise SlackError("invalid_limit")
    start = _start(arguments.text("cursor"))
    following = start + min(limit, 1000)
    cursor = base64.b64encode(f"next:{following}".encode()).decode() if following < len(entries) else ""
    return entries[start:following], cursor


def _start(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        word, _, number = base64.b64decode(cursor, validate=True).decode().partition(":")
        if word != "next":
            raise ValueError(word)
        return int(number)
    except (binascii.Error, ValueError):
        raise SlackError("invalid_cursor") from None


def metadata(cursor: str) -> Json:
    return {"response_metadata": {"next_cursor": cursor}}
