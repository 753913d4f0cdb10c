"""What an app is subscribed to is shown on Slack's page only; doctor says what has come so far."""

from bot.checks.events import events_heard
from bot.checks.finding import Outcome
from bot.runtime.clock import utc_now
from tests.loop import Loop


def test_doctor_says_which_events_have_never_come_and_what_brings_one(loop: Loop) -> None:
    before = list(events_heard(loop.database, utc_now))
    assert {finding.words for finding in before} == {
        "Slack has never sent app_home_opened.",
        "Slack has never sent reaction_added.",
    }
    assert all(finding.outcome is Outcome.NOTE and "While it runs" in finding.remedy for finding in before)
    loop.ana.open_home()
    loop.predict("T-1", "the sofa came late", {"delivery": 0.5, "refund": 0.4, "billing error": 0.1})
    loop.ana.react(loop.card("the sofa came late"), "eyes")

    def heard() -> str:
        [*findings] = events_heard(loop.database, utc_now)
        return findings[0].words if findings[0].outcome is Outcome.GOOD else ""

    assert loop.box.wait_for(heard) == "app_home_opened, reaction_added have come, the older 0 h ago"
