"""Slack's error codes as findings, each with what the operator can do."""

from collections.abc import Callable
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.checks.finding import Finding, bad
from bot.slack.errors import operator_remedy

Answer = Any  # slack_sdk's SlackResponse: body by key, `headers` beside it


def answered(subject: str, call: Callable[[], Answer], groups: bool = False) -> Answer | Finding:
    """Slack's answer, or a finding if the call failed. groups: whether the call is about user groups."""
    try:
        return call()
    except SlackApiError as error:
        word = str(error.response.get("error") or f"HTTP {error.response.status_code}")
        remedy = operator_remedy(word, groups) or f"Look up “{word}” in Slack's documentation."
        return bad(subject, f"Slack answered with the error “{word}”.", remedy)
    except OSError as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        return bad(subject, f"Slack cannot be reached: {reason}.", "Check the network, the proxy and SLACK_API_URL.")
