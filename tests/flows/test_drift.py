"""A drift alarm, as leads see it in Slack. On SQLite: the verbs are tested on both databases."""

from datetime import timedelta
from typing import Any

import pytest

from bot.runtime.clock import utc_now
from core.intake.presenting import alarm_raised
from core.queues import queue_named
from core.records.drift import DriftAlarm
from tests.loop import Loop
from tests.people import LEADS

pytestmark = pytest.mark.usefixtures("sqlite_only")


@pytest.mark.slow
def test_the_leads_see_an_alarm_with_its_chart_in_the_thread(loop: Loop) -> None:
    now = utc_now()
    sign = {"sign": "volume", "label": None, "days": 1, "observed": 3, "expected": 80.0, "p_value": 1e-9}
    with loop.database.transaction() as session:
        queue = queue_named(session, loop.queue.name)
        alarm = DriftAlarm(
            queue_id=queue.id, began_at=now - timedelta(days=1), signs=[sign], policy_fingerprint="", created_at=now
        )
        session.add(alarm)
        session.flush()
        alarm_raised(session, alarm.id, queue, now)
    card = loop.card("3 predictions arrived; about 80 were expected", channel=LEADS)

    def chart() -> list[dict[str, Any]]:
        return [file for one in loop.cleo.messages(LEADS, thread_ts=card.ts) for file in one.files]

    [file] = loop.box.wait_for(chart)
    assert (file["name"], "3 predictions arrived" in file["alt_txt"]) == ("drift-1.png", True)
