"""Slack's rate limits: calls of a method per minute, app and workspace; one message per second in a channel.

Tiers as in java-slack-sdk MethodsRateLimits.java; their calls per minute as in docs.slack.dev apis/web-api/
rate-limits. Slack does not publish its bursts; those here are estimates.
"""

import math
from collections import deque

from bot.sandbox.clock import Clock

WINDOW = 60.0  # seconds
TIER_2, TIER_3, TIER_4, SPECIAL = 20, 50, 100, 600
PER_MINUTE = {
    "apps.connections.open": 20,  # Tier 1 (1+); an app may open 10 sockets and open them again
    "api.test": SPECIAL,
    "auth.test": SPECIAL,
    "blocks.validate": SPECIAL,
    "chat.postMessage": 300,  # "several hundred per minute", and one per second in a channel
    "chat.getPermalink": SPECIAL,
    "chat.update": TIER_3,
    "chat.delete": TIER_3,
    "chat.postEphemeral": TIER_4,
    "views.open": TIER_4,
    "views.push": TIER_4,
    "views.update": TIER_4,
    "views.publish": TIER_4,
    "reactions.add": TIER_3,
    "reactions.get": TIER_3,
    "reactions.remove": TIER_2,
    "users.info": TIER_4,
    "users.list": TIER_2,
    "users.lookupByEmail": TIER_3,
    "users.profile.get": TIER_4,
    "bots.info": TIER_3,
    "team.info": TIER_3,
    "users.conversations": TIER_2,
    "conversations.info": TIER_3,
    "conversations.list": TIER_2,
    "conversations.members": TIER_4,
    "conversations.history": TIER_3,
    "conversations.replies": TIER_3,
    "conversations.open": TIER_3,
    "conversations.join": TIER_3,
    "files.getUploadURLExternal": TIER_4,
    "files.completeUploadExternal": TIER_4,
    "files.info": TIER_4,
    "files.list": TIER_3,
    "files.delete": TIER_3,
    "usergroups.list": TIER_2,
    "usergroups.users.list": TIER_2,
}
CHANNEL_BURST = 4  # messages that a channel accepts at once before the limit of one per second applies


class Rates:
    def __init__(self, clock: Clock, on: bool) -> None:
        self.clock = clock
        self.on = on
        self._calls: dict[tuple[str, str], deque[float]] = {}
        self._channels: dict[tuple[str, str], tuple[float, float]] = {}  # (app, channel) -> (tokens left, when)

    def wait(self, app: str, method: str, channel: str | None) -> int | None:
        """Counts a call and returns None, or returns Retry-After in seconds without counting it."""
        if not self.on:
            return None
        now = self.clock.now()
        calls = self._calls.setdefault((app, method), deque())
        while calls and calls[0] <= now - WINDOW:
            calls.popleft()
        if len(calls) >= PER_MINUTE.get(method, TIER_3):
            return max(1, math.ceil(calls[0] + WINDOW - now))
        if method == "chat.postMessage" and channel and not self._take(app, channel, now):
            return 1
        calls.append(now)
        return None

    def _take(self, app: str, channel: str, now: float) -> bool:
        left, when = self._channels.get((app, channel), (float(CHANNEL_BURST), now))
        left = min(CHANNEL_BURST, left + now - when)
        self._channels[app, channel] = (left - 1 if left >= 1 else left, now)
        return left >= 1
