"""Typed text in the form that Slack stores (docs.slack.dev messaging/formatting-message-text, escaping text). `&`, `<`
and `>` are escaped. Existing escapes stay, and so do mentions and links in Slack's form, because a client sends
`<@U123>` for a name that was picked from its list.
"""

import re

KEPT = re.compile(r"&(?:amp|lt|gt);|<(?:[@#!]|[a-z][a-z0-9+.-]*:)[^<>\n]+>")
ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def stored(text: str) -> str:
    """The stored form of a text. Repeating it changes nothing."""
    return re.sub(rf"({KEPT.pattern})|[&<>]", lambda found: found[1] or ESCAPES[found[0]], text)
