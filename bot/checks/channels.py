"""The policy's channels: each must exist, be active and unshared, and have the bot as a member."""

from functools import partial
from typing import Any

from slack_sdk import WebClient

from bot.checks.answers import answered
from bot.checks.finding import Finding, Findings, bad, good
from core.policy import Policy

INVITE = "Type `/invite @goldloop` in the channel."


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
        return bad(
            subject,
            f"{asked} is a channel name, not an id.",
            f"Use the id {found['id']} in the policy; names can change.",
        )
    if found.get("is_archived"):
        return bad(subject, f"{name} is archived.", "Unarchive it, or set another channel in the policy.")
    if found.get("is_ext_shared") or found.get("is_pending_ext_shared"):
        return bad(
            subject,
            f"{name} is shared with another company.",
            "Set a channel in the policy that only your own workspace can see.",
        )
    if not found.get("is_member"):
        return bad(subject, f"The bot is not in {name}.", INVITE)
    return good(subject, f"the bot is a member of {name}")


def _not_found(refused: Finding) -> Finding:
    words = "The channel does not exist, or it is private and the bot is not a member."
    return bad(refused.subject, words, f"Check the channel id in the policy (C…). {INVITE}")
