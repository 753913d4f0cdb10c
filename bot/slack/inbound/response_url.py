"""Answers to a click's `response_url`. Connections to it are kept: each receipt would otherwise begin with the
handshakes of a new one, which take five times as long as the receipt itself.
"""

import json
import logging
from functools import cache
from typing import Any

from slack_sdk.proxy_env_variable_loader import load_http_proxy_from_env
from urllib3 import PoolManager, ProxyManager, Retry
from urllib3.exceptions import HTTPError

from bot.runtime.services import SLACK_TIMEOUT, tls

AT_ONCE = 32  # connections that are kept; as many threads answer
LONGEST_PAUSE = 60  # seconds that Slack may ask to wait
HEADERS = {"Content-Type": "application/json; charset=utf-8"}

# Once more only if Slack asks for it. Where the network fails Slack may have shown it, and urllib3 logs the address.
LATER = Retry(
    total=1, connect=False, read=False, redirect=False, other=False, status_forcelist=[429], allowed_methods=None,
    raise_on_status=False, retry_after_max=LONGEST_PAUSE,
)  # fmt: skip

log = logging.getLogger(__name__)


def answer(response_url: str, words: dict[str, Any], replace: bool = False) -> None:
    """Say this to the person alone. replace: in place of the message in which they clicked, which only they see. Not
    said twice where Slack may have shown it: a receipt that appears twice looks like two votes. The Home tab has it in
    any case."""
    said = {name: value for name, value in words.items() if value is not None}
    body = json.dumps(said | {"response_type": "ephemeral", "replace_original": replace})
    try:
        answered = _connections().request("POST", response_url, body=body.encode(), headers=HEADERS)
    except HTTPError as error:
        log.info("Receipt delivery uncertain", extra={"reason": type(error).__name__})
        return
    if answered.status != 200:
        log.info("Receipt not delivered", extra={"status": answered.status})


@cache
def _connections() -> PoolManager:
    """Through the proxy named in the environment, as Slack's own client does."""
    same: dict[str, Any] = {
        "maxsize": AT_ONCE, "retries": LATER, "timeout": SLACK_TIMEOUT, "ssl_context": tls(),
    }  # fmt: skip
    proxy = load_http_proxy_from_env()
    return ProxyManager(proxy, **same) if proxy else PoolManager(**same)
