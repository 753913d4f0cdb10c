"""A person's workload, and the effect of pausing."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.people.availability import pause, resume
from core.records.reviews import Reviewer
from core.review.workload import Load, day_began, load
from core.storage.ready import ask
from tests.core.desk import BILLING, CANNOT, NONE, NOW, REFUND, SKIP, Desk, opened
from tests.people import ANA, BEN, EVA, support_policy

NEW_YORK, KOLKATA = "America/New_York", "Asia/Kolkata"


@pytest.mark.parametrize(
    ("now", "zone", "began"),
    [
        ("2026-11-24T09:00", "UTC", "2026-11-24T00:00"),
        ("2026-11-24T00:00", "UTC", "2026-11-24T00:00"),
        ("2026-11-24T04:59", NEW_YORK, "2026-11-23T05:00"),
        ("2026-11-24T05:00", NEW_YORK, "2026-11-24T05:00"),
        ("2026-11-24T18:29", KOLKATA, "2026-11-23T18:30"),
        ("2026-11-24T18:30", KOLKATA, "2026-11-24T18:30"),
        ("2026-03-08T12:00", NEW_YORK, "2026-03-08T05:00"),
        ("2026-11-01T23:00", NEW_YORK, "2026-11-01T04:00"),
        ("2026-11-02T04:59", NEW_YORK, "2026-11-01T04:00"),
    ],
    ids=["noon", "midnight", "before local midnight", "at local midnight", "half an hour zone, before", "and after",
         "the day of 23 hours", "the day of 25 hours", "and its last hour"],
)  # fmt: skip
def test_a_day_begins_at_midnight_of_the_zone(now: str, zone: str, began: str) -> None:
    when = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert day_began(when, ZoneInfo(zone)) == datetime.fromisoformat(began).replace(tzinfo=UTC)


def of(desk: Desk, person: str, after: timedelta = timedelta()) -> Load:
    with desk.database.reading() as session:
        return ask(session, load(person, desk.queue().id, desk.rules.zone, NOW + after))


def test_open_is_what_waits_for_this_person_and_done_is_what_they_voted_on_today(desk: Desk) -> None:
    voted, changed, skipped, unjudged, withdrawn, none, untouched = (desk.ticket() for _number in range(7))
    desk.click(ANA, voted, REFUND)
    desk.click(ANA, changed, REFUND)
    desk.click(ANA, changed, BILLING)
    desk.click(ANA, skipped, SKIP)
    desk.click(ANA, unjudged, CANNOT)
    desk.click(ANA, withdrawn, REFUND)
    desk.undo(ANA, withdrawn)
    desk.click(ANA, none, NONE)
    assert untouched
    assert of(desk, ANA) == Load(open=2, done_today=3)
    assert of(desk, BEN) == Load(open=7, done_today=0)
    assert of(desk, ANA, after=timedelta(days=1)) == Load(open=2, done_today=0)


def test_an_item_that_is_settled_or_with_a_lead_is_not_open_for_reviewers(desk: Desk) -> None:
    desk.settled(ANA, BEN)
    disputed = desk.ticket()
    desk.click(ANA, disputed, CANNOT)
    desk.click(BEN, disputed, CANNOT)
    desk.ticket()
    assert of(desk, EVA) == Load(open=1, done_today=0)
    assert of(desk, ANA) == Load(open=1, done_today=1)


def test_another_queue_has_a_load_of_its_own(desk: Desk) -> None:
    desk.settled(ANA, BEN)
    sales = support_policy().queues[0].model_copy(update={"name": "sales"})
    other = opened(desk.database, desk.policy.model_copy(update={"queues": (sales,)}))
    other.ticket()
    assert of(other, ANA) == Load(open=1, done_today=0)
    assert of(desk, ANA) == Load(open=0, done_today=1)


def test_pausing_twice_keeps_the_first_time_and_resuming_ends_it(desk: Desk) -> None:
    def since() -> datetime | None:
        with desk.database.reading() as session:
            row = session.get(Reviewer, EVA)
            return row.paused_at if row else None

    with desk.database.transaction() as session:
        resume(session, EVA)
    assert since() is None
    for hour in (1, 2):
        with desk.database.transaction() as session:
            pause(session, EVA, NOW + timedelta(hours=hour))
    assert since() == NOW + timedelta(hours=1)
    for _time in range(2):
        with desk.database.transaction() as session:
            resume(session, EVA)
    assert since() is None
