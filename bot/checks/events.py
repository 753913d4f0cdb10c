"""The events that Slack sends. Slack has no method that lists subscriptions, so only received events can be checked."""

from collections.abc import Callable
from datetime import datetime
from math import ceil

from bot.checks.finding import Findings, good, note
from core.delivery.received_events import last_received
from core.storage.database import Database

NEEDED = {
    "app_home_opened": "open Goldloop's Home tab",
    "reaction_added": "react to a message in the leads' channel",
}


def events_heard(database: Database, clock: Callable[[], datetime]) -> Findings:
    """A note for each required kind of event that was never received. On the first day, that may be normal."""
    with database.reading() as session:
        heard = last_received(session)
    for kind in (kind for kind in NEEDED if kind not in heard):
        remedy = (
            f"While Goldloop runs, {NEEDED[kind]}, then run this again. If still missing, check Event Subscriptions."
        )
        yield note("events", f"No {kind} event has been received yet.", remedy)
    if NEEDED.keys() <= heard.keys():
        hours = (clock() - min(heard[kind] for kind in NEEDED)).total_seconds() / 3600
        yield good("events", f"receives {' and '.join(sorted(NEEDED))}, each in the last {_period(hours)}")


def _period(hours: float) -> str:
    if hours <= 1:
        return "hour"
    return f"{ceil(hours)} hours" if hours <= 48 else f"{ceil(hours / 24)} days"
