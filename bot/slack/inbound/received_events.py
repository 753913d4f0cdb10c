"""Records which kinds of events arrive, once an hour each, so that `goldloop doctor` can report missing ones."""

from collections.abc import Callable
from datetime import datetime, timedelta

from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.middleware import Middleware

from bot.runtime.services import Services
from bot.slack.inbound.after_ack import AfterAck
from bot.slack.inbound.payload_schema import PARSED, Payload
from bot.slack.manifest import manifest
from core.delivery.received_events import note_received

FINENESS = timedelta(hours=1)


def register(app: App, services: Services, after_ack: AfterAck) -> None:
    app.use(_EventRecorder(services, after_ack))


class _EventRecorder(Middleware):
    """A class, not a function: for a function, Bolt gathers the arguments that any listener could have."""

    def __init__(self, services: Services, after_ack: AfterAck) -> None:
        self._services, self._after_ack = services, after_ack
        self._expected = frozenset(manifest()["settings"]["event_subscriptions"]["bot_events"])
        self._noted: dict[str, datetime] = {}

    def process(self, *, req: BoltRequest, resp: BoltResponse, next: Callable[[], BoltResponse]) -> BoltResponse:
        parsed: Payload = req.context[PARSED]
        if parsed.event and parsed.event.type in self._expected:
            self._note(parsed.event.type, self._services.clock())
        return next()

    def _note(self, kind: str, now: datetime) -> None:
        if abs(now - self._noted.get(kind, now - 2 * FINENESS)) > FINENESS:
            self._noted[kind] = now
            self._after_ack.run(_note, self._services, kind, now)


def _note(services: Services, kind: str, now: datetime) -> None:
    with services.database.transaction() as session:
        note_received(session, kind, now)
