"""Which events come. Slack shows an app's subscriptions on its page only, so all that can be seen is what was heard."""

from collections.abc import Callable
from datetime import datetime

from bot.checks.finding import Findings, good, note
from core.delivery.received_events import last_received
from core.storage.database import Database

NEEDED = {
    "app_home_opened": "open Goldloop's Home tab",
    "reaction_added": "react to a message in the leads' channel",
}


def events_heard(database: Database, clock: Callable[[], datetime]) -> Findings:
    """A note for each kind that people need and that never came, with what brings one; it may only be early days."""
    with database.reading() as session:
        heard = last_received(session)
    for kind in (kind for kind in NEEDED if kind not in heard):
        remedy = f"While it runs, {NEEDED[kind]} and look again. If it stays so: Event Subscriptions on the app's page."
        yield note("events", f"Slack has never sent {kind}.", remedy)
    if NEEDED.keys() <= heard.keys():
        hours = (clock() - min(heard[kind] for kind in NEEDED)).total_seconds() / 3600
        yield good("events", f"{', '.join(sorted(NEEDED))} have come, the older {max(0, hours):.0f} h ago")
