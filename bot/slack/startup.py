"""The wait for Slack at the start of a process. A process that exited instead would only be restarted, and some
supervisors stop all processes when one of them exits.
"""

import logging
import time
from collections.abc import Callable

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.slack.errors import CONNECTION, sorted_failure

LONGEST_PAUSE = 60.0  # seconds

log = logging.getLogger(__name__)


def wait_for_slack(slack: WebClient, pause: Callable[[float], None] = time.sleep) -> str:
    """Wait until Slack answers. Returns the workspace's address, for links; empty if Slack does not give it. Raises
    SlackApiError if it rejects the token."""
    seconds = 1.0
    while True:
        try:
            return str(slack.auth_test().get("url") or "")
        except (SlackApiError, *CONNECTION) as error:
            failure = sorted_failure(error)
            if not failure.unknown and failure.retry_after is None:
                raise
            again = failure.retry_after or seconds
            log.warning("Slack cannot be reached", extra={"reason": failure.reason, "retry_in_seconds": again})
        pause(again)
        seconds = min(LONGEST_PAUSE, 2 * seconds)
