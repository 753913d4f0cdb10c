"""Texts that strangers might send, and what must not come out of them."""

import re

HOSTILE = (
    "",
    " ",
    "plain words",
    "<!channel> <@UEVIL> <#CEVIL> <http://evil.example|safe> & <b>",
    "*bold* _italic_ ~gone~ `code` ```block``` :tada: > quoted\n• list",
    "\u202eright to left\u202c \u200f\u200e",
    "\u200b" * 4000,
    "zero\u200bwidth\u200djoined\ufeff",
    "&" * 4000,
    "<" * 4000,
    "*_~`:" * 1000,
    '"\\' * 3000,
    "\n" * 4000,
    "\U0001f600" * 4000,
    "\u4e2d" * 4000,
    "\x07\x1b[31m",
    "&lt;!channel&gt; &amp;lt;",
    "x" * 1_000_000,
)
LIVE = re.compile(r"<[!@#]\w|<https?:|<mailto:")


def live_marks(mrkdwn: str) -> list[str]:
    """Mentions, links and commands that Slack would act on."""
    return LIVE.findall(mrkdwn)
