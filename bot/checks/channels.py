"""The channels of the policy: there, open, ours alone, and with the bot in them."""

from functools import partial
from typing import Any

from slack_sdk import WebClient

from bot.checks.answers import answered
from bot.checks.finding import Finding, Findings, bad, good
from core.policy import Policy

INVITE = "In the channel, type: /invite @goldloop"


def channels(slack: WebClient, policy: Policy) -> Findings:
    for channel in policy.channels:
        subject = f"channel {channel}"
        answer = answered(subject, partial(slack.conversations_info, channel=channel))
        if isinstance(answer, Finding):
            yield _not_found(answer) if "channel_not_found" in answer.words else answer
        else:
            yield _state(subject, channel, answer["channel"])


def _state(subject: str, asked: str, found: dict[str, Any]) -> Finding:
    name = f"#{found.get('name', asked)}"
    if found["id"] != asked:
        return bad(subject, f"{asked} is a name.", f"Write the id {found['id']} in the policy: names change.")
    if found.get("is_archived"):
        return bad(subject, f"{name} is archived.", "Unarchive it, or name another one in the policy.")
    if found.get("is_ext_shared") or found.get("is_pending_ext_shared"):
        return bad(subject, f"{name} is shared with another company.", "Use a channel of your own people only.")
    if not found.get("is_member"):
        return bad(subject, f"The bot is not in {name}.", INVITE)
    return good(subject, f"{name}, and the bot is in it")


def _not_found(refused: Finding) -> Finding:
    words = "Slack knows no such channel, or it is private and the bot is not in it."
    return bad(refused.subject, words, f"Check the id in the policy (C…, not a name). {INVITE}")
