"""Event subscriptions: only Slack's page shows them; doctor reports which types have arrived."""

from datetime import datetime, timedelta
from functools import partial

from bot.checks.events import events_heard
from bot.checks.finding import Outcome
from bot.runtime.clock import utc_now
from tests.loop import Loop


def test_doctor_says_which_events_have_never_come_and_what_brings_one(loop: Loop) -> None:
    before = list(events_heard(loop.database, utc_now))
    assert {finding.words for finding in before} == {
        "No app_home_opened event has been received yet.",
        "No reaction_added event has been received yet.",
    }
    assert all(finding.outcome is Outcome.NOTE and "While Goldloop runs" in finding.remedy for finding in before)
    loop.ana.open_home()
    loop.predict("T-1", "the sofa came late", {"delivery": 0.5, "refund": 0.4, "billing error": 0.1})
    loop.ana.react(loop.card("the sofa came late"), "eyes")

    def heard() -> str:
        [*findings] = events_heard(loop.database, utc_now)
        return findings[0].words if findings[0].outcome is Outcome.GOOD else ""

    assert loop.box.wait_for(heard) == "receives app_home_opened and reaction_added, each in the last hour"
    for later, period in ((timedelta(minutes=90), "2 hours"), (timedelta(days=3, hours=1), "4 days")):
        [finding] = events_heard(loop.database, partial(now_and, later))
        assert finding.words.endswith(f", each in the last {period}")


def now_and(later: timedelta) -> datetime:
    return utc_now() + later
