"""Whether Slack can reach us over HTTP: we send ourselves the challenge that Slack sends, signed as Slack signs it."""

import json
import secrets
from collections.abc import Callable
from datetime import datetime

import httpx
from slack_sdk.signature import SignatureVerifier

from bot.checks.finding import Findings, bad, good
from bot.runtime.settings import Settings
from bot.slack.manifest import events_address

SECONDS = 3.0  # how long Slack waits


def public_address(url: str, settings: Settings, clock: Callable[[], datetime]) -> Findings:
    """Raises Invalid if Slack would not call this address at all."""
    address, secret = events_address(url), settings.slack_signing_secret.get_secret_value()
    if settings.slack_app_token.get_secret_value():
        words = "Socket Mode is in use, for SLACK_APP_TOKEN is set: Slack calls no address."
        yield bad("address", words, "Unset SLACK_APP_TOKEN to use HTTP, or leave --url away.")
        return
    if not secret:
        yield bad("address", "SLACK_SIGNING_SECRET is not set.", "Copy it from the app's page (Basic Information).")
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
        yield bad("address", words, "Start `goldloop run` or `goldloop web`, and check DNS, certificate and proxy.")
        return
    if answer.status_code == 401:
        words = f"{address} takes the request for a forgery."
        yield bad("address", words, "Give that process the same SLACK_SIGNING_SECRET, and check its clock.")
    elif answer.status_code != 200 or challenge not in answer.text:
        words = f"{address} answers {answer.status_code}, and not as Goldloop does."
        yield bad("address", words, "Check where the proxy sends /slack/events.")
    else:
        yield good("address", f"{address} answers as Slack wants it")
