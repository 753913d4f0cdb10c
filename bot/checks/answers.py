"""Slack's refusals as findings: its word for it, and what the operator can do."""

from collections.abc import Callable
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.checks.finding import Finding, bad
from bot.slack.errors import operator_remedy

Answer = Any  # slack_sdk's SlackResponse: body by key, `headers` beside it


def answered(subject: str, call: Callable[[], Answer], groups: bool = False) -> Answer | Finding:
    """What Slack says, or why there is nothing. groups: it is asked about user groups."""
    try:
        return call()
    except SlackApiError as error:
        word = str(error.response.get("error") or f"HTTP {error.response.status_code}")
        remedy = operator_remedy(word, groups) or f"Look up “{word}” on Slack's pages."
        return bad(subject, f"Slack says {word}.", remedy)
    except OSError as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        return bad(subject, f"Slack does not answer: {reason}.", "Check the network, a proxy, and SLACK_API_URL.")
