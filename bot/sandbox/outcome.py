"""The outcome of an action: whether and when the app acknowledged it, and what Slack would show."""

from dataclasses import dataclass, field

from bot.sandbox.wire import Json

NO_CONNECTION = "dispatch_failed"  # Slackbot: '/x failed with the error "dispatch_failed"'
NO_ANSWER = "operation_timeout"  # no acknowledgement within three seconds


@dataclass(frozen=True)
class Outcome:
    """`status` is the app's HTTP status (200 for a Socket Mode acknowledgement), None if there was none."""

    ok: bool
    status: int | None = None
    ms: float = 0.0
    error: str | None = None
    errors: dict[str, str] = field(default_factory=dict)
    response: Json | None = None
    no_retry: bool = False
