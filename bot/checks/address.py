"""The public address: it must answer the signed challenge that Slack sends. The check sends one itself."""

import json
import secrets
from collections.abc import Callable
from datetime import datetime

import httpx
from slack_sdk.signature import SignatureVerifier

from bot.checks.finding import Findings, bad, good
from bot.runtime.settings import Settings
from bot.slack.manifest import events_address

SECONDS = 3.0  # the time for which Slack waits


def public_address(url: str, settings: Settings, clock: Callable[[], datetime]) -> Findings:
    """Send the challenge to the address. Raises Invalid if it is not one that Slack calls."""
    address, secret = events_address(url), settings.slack_signing_secret.get_secret_value()
    if settings.slack_app_token.get_secret_value():
        words = "SLACK_APP_TOKEN is set, so Goldloop uses Socket Mode, which needs no public address."
        yield bad("public address", words, "Unset SLACK_APP_TOKEN to use HTTP, or omit --url.")
        return
    if not secret:
        yield bad(
            "public address", "SLACK_SIGNING_SECRET is not set.", "Copy it from the app's settings (Basic Information)."
        )
        return
    challenge = secrets.token_hex(8)
    body = json.dumps({"type": "url_verification", "challenge": challenge})
    stamp = str(int(clock().timestamp()))
    signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
    headers = {"x-slack-request-timestamp": stamp, "x-slack-signature": str(signature)}
    try:
        answer = httpx.post(
            address, content=body, timeout=SECONDS, headers=headers | {"content-type": "application/json"}
        )
    except httpx.HTTPError as error:
        words = f"{address} does not answer ({type(error).__name__})."
        yield bad(
            "public address",
            words,
            "Start `goldloop run` or `goldloop web`, then check DNS, the certificate and the proxy.",
        )
        return
    if answer.status_code == 401:
        words = f"{address} rejects the request's signature."
        yield bad("public address", words, "Set the same SLACK_SIGNING_SECRET for that process, and check its clock.")
    elif answer.status_code != 200 or challenge not in answer.text:
        words = f"{address} answers with status {answer.status_code}, which is not Goldloop's answer."
        yield bad("public address", words, "Check that the proxy forwards /slack/events to Goldloop.")
    else:
        yield good("public address", f"{address} answers Slack's challenge")
