"""Slack is asked who we are, and about people, before anything else. Where it cannot be reached, the start waits for
it: who ended instead would only be started again, and some that start several processes end all of them with one.
"""

import logging
import time
from collections.abc import Callable

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.slack.errors import CONNECTION, sorted_failure

LONGEST_PAUSE = 60.0  # seconds

log = logging.getLogger(__name__)


def wait_for_slack(slack: WebClient, pause: Callable[[float], None] = time.sleep) -> None:
    """Until it answers. Raises SlackApiError where its answer is that the token is not good."""
    seconds = 1.0
    while True:
        try:
            slack.auth_test()
        except (SlackApiError, *CONNECTION) as error:
            failure = sorted_failure(error)
            if not failure.unknown and failure.retry_after is None:
                raise
            again = failure.retry_after or seconds
            log.warning("Slack cannot be reached yet", extra={"reason": failure.reason, "again_in_seconds": again})
        else:
            return
        pause(again)
        seconds = min(LONGEST_PAUSE, 2 * seconds)
