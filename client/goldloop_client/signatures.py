"""Signatures of the requests that Goldloop sends, by the Standard Webhooks convention (version 1)."""

import base64
import hashlib
import hmac
from collections.abc import Mapping

LATEST = 300.0  # seconds between a request's time and now; an older request may be a replay
PREFIX = "whsec_"


def sign(secret: str, named: str, seconds: int, body: bytes) -> str:
    """The signature of a body. named: the request's id; seconds: its time, since 1970. secret: whsec_ and base64."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.new(key, f"{named}.{seconds}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def is_signed(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether the request comes from a holder of the secret, and is not old. headers: their names in lower case. now:
    seconds since 1970."""
    named, stated = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not stated.isascii() or not stated.isdigit() or abs(now - int(stated[:15])) > LATEST:
        return False
    expected = sign(secret, named, int(stated[:15]), body)
    given = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(expected.encode(), one.encode()) for one in given)
