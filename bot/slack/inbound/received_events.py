"""Records which kinds of events arrive, once an hour each, so that `goldloop doctor` can report missing ones."""

from collections.abc import Callable
from datetime import datetime, timedelta

from slack_bolt import App

from bot.runtime.services import Services
from bot.slack.inbound.after_ack import AfterAck
from bot.slack.inbound.payload_schema import Payload
from bot.slack.manifest import manifest
from core.delivery.received_events import note_received

FINENESS = timedelta(hours=1)


def register(app: App, services: Services, after_ack: AfterAck) -> None:
    expected = frozenset(manifest()["settings"]["event_subscriptions"]["bot_events"])
    noted: dict[str, datetime] = {}

    def hear(parsed: Payload, next: Callable[[], object]) -> None:
        kind = parsed.event.type if parsed.event else ""
        now = services.clock()
        if kind in expected and abs(now - noted.get(kind, now - 2 * FINENESS)) > FINENESS:
            noted[kind] = now
            after_ack.run(_note, services, kind, now)
        next()

    app.use(hear)


def _note(services: Services, kind: str, now: datetime) -> None:
    with services.database.transaction() as session:
        note_received(session, kind, now)
