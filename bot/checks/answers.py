"""Slack's refusals as findings: its word for it, and what the operator can do."""

from collections.abc import Callable
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.checks.finding import Finding, bad

Answer = Any  # slack_sdk's SlackResponse: body by key, `headers` beside it

COPY_IT = "Copy the bot token from the app's page (OAuth & Permissions) into SLACK_BOT_TOKEN."
REMEDIES = {
    "invalid_auth": COPY_IT,
    "not_authed": COPY_IT,
    "token_revoked": f"Install the app again. {COPY_IT}",
    "token_expired": f"Turn token rotation off, as the manifest says. {COPY_IT}",
    "account_inactive": f"Install the app again. {COPY_IT}",
    "not_allowed_token_type": "SLACK_BOT_TOKEN begins with xoxb-, SLACK_APP_TOKEN with xapp-; they may be swapped.",
    "missing_scope": "Bring the app's scopes up to `goldloop manifest`, install it again, and use the new token.",
    "ratelimited": "Slack asks to wait. Run this again in a minute.",
}


def answered(subject: str, call: Callable[[], Answer]) -> Answer | Finding:
    """What Slack says, or why there is nothing."""
    try:
        return call()
    except SlackApiError as error:
        word = str(error.response.get("error") or f"HTTP {error.response.status_code}")
        return bad(subject, f"Slack says {word}.", REMEDIES.get(word, f"Look up “{word}” on Slack's pages."))
    except OSError as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        return bad(subject, f"Slack does not answer: {reason}.", "Check the network, a proxy, and SLACK_API_URL.")
