"""Slack's error codes as findings, each with what the operator can do."""

from collections.abc import Callable
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.checks.finding import Finding, bad

Answer = Any  # slack_sdk's SlackResponse: body by key, `headers` beside it

COPY_REMEDY = "Copy the bot token from the app's settings (OAuth & Permissions) into SLACK_BOT_TOKEN."
REMEDIES = {
    "invalid_auth": COPY_REMEDY,
    "not_authed": COPY_REMEDY,
    "token_revoked": f"Reinstall the app. {COPY_REMEDY}",
    "token_expired": f"Turn token rotation off, as in the manifest. {COPY_REMEDY}",
    "account_inactive": f"Reinstall the app. {COPY_REMEDY}",
    "not_allowed_token_type": "Are the tokens swapped? SLACK_BOT_TOKEN starts with xoxb-, SLACK_APP_TOKEN with xapp-.",
    "missing_scope": "Update the app's scopes to those of `goldloop manifest`, reinstall it, and set the new token.",
    "ratelimited": "Slack limits requests. Run this again in a minute.",
}


def answered(subject: str, call: Callable[[], Answer]) -> Answer | Finding:
    """Slack's answer, or a finding if the call failed."""
    try:
        return call()
    except SlackApiError as error:
        word = str(error.response.get("error") or f"HTTP {error.response.status_code}")
        return bad(
            subject,
            f"Slack answered with the error “{word}”.",
            REMEDIES.get(word, f"Look up “{word}” in Slack's documentation."),
        )
    except OSError as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        return bad(subject, f"Slack cannot be reached: {reason}.", "Check the network, the proxy and SLACK_API_URL.")
