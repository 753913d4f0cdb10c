"""A budget and a promise at their limits: one label, a thousand, a model that is always sure, weekends, two queues."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from core.intake.cuts import expected_volume, present_cuts, store_cut
from core.intake.daily_readings import read_day
from core.intake.promises import promise_work, store_promise
from core.intake.waiting import open_next
from core.learning.lifecycle.production import production_estimate
from core.policy import Policy
from core.quality.promise import REVIEW_NONE, SampledStratum, Strata, loosest_cut
from core.records.predictions import WaitingPrediction
from core.records.promises import PromiseState
from core.records.reviews import ReviewItem
from core.review.budget_reading import budget_reading
from core.storage.database import Database
from tests.core.conftest import OpenDesk
from tests.core.desk import NOW, REFUND, SURE, Desk, opened, sent
from tests.people import support_policy

DAY = timedelta(days=1)
SATURDAY = NOW + 4 * DAY
PROMISED: dict[str, Any] = {"budget": "20%", "promise": "2%"}


def cut(desk: Desk, scores: list[float], now: datetime = NOW) -> float:
    with desk.database.transaction() as session:
        store_cut(session, desk.rules, "sender-1", scores, {}, now)
        found = present_cuts(session, desk.queue().id, desk.rules)
    assert found is not None
    return found.own


def spend(desk: Desk, now: datetime = NOW) -> int:
    """Returns the items that there are."""
    with desk.database.transaction() as session:
        open_next(session, desk.rules, now)
        return session.scalar(select(func.count()).select_from(ReviewItem)) or 0


def waiting(desk: Desk) -> int:
    with desk.database.reading() as session:
        return session.scalar(select(func.count()).where(WaitingPrediction.ended_at.is_(None))) or 0


def test_a_model_that_is_always_sure_opens_no_more_than_the_budget(open_desk: OpenDesk) -> None:
    """No score tells its predictions apart, so all of them may wait, and the first ones are opened."""
    desk = open_desk(flagging={"budget": "3 a day", "audit_share": 1e-9})
    assert cut(desk, [0.0] * 2000) == 0.0
    desk.ingest(*(sent(chances={REFUND: 1.0}) for _ in range(9)))
    assert (spend(desk), waiting(desk)) == (3, 6)


def test_a_promise_about_a_model_that_is_always_sure_asks_for_everything_or_nothing() -> None:
    reviewed = SampledStratum(0, 0, ())
    right = Strata(SampledStratum(1000, 200, ()), reviewed)
    wrong = Strata(SampledStratum(1000, 200, (0.0,) * 9), reviewed)
    assert loosest_cut(right, 0.02, 0.1) == REVIEW_NONE
    assert loosest_cut(wrong, 0.02, 0.1) == 0.0


def test_a_share_of_a_weekday_without_traffic_is_nothing_and_what_came_waits_for_monday(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"budget": "50%", "audit_share": 1e-9})
    for week in range(1, 5):
        desk.ingest(*(sent(chances=SURE) for _ in range(4)), now=SATURDAY + 2 * DAY - 7 * week * DAY)
    with desk.database.reading() as session:
        queue_id = desk.queue().id
        assert expected_volume(session, queue_id, desk.rules, SATURDAY) == 0
        assert expected_volume(session, queue_id, desk.rules, SATURDAY + 2 * DAY) == 4
    before = spend(desk, SATURDAY)
    cut(desk, [], SATURDAY)
    desk.ingest(sent(chances=SURE), now=SATURDAY)
    assert spend(desk, SATURDAY) == before
    cut(desk, [], SATURDAY + 2 * DAY)
    assert spend(desk, SATURDAY + 2 * DAY) == before + 1


def test_traffic_of_one_label_is_read_and_estimated_as_any_other(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging=PROMISED | {"audit_share": 0.999999})
    cut(desk, [0.05] * 200)
    desk.ingest(*(sent(chances=SURE) for _ in range(3)))
    with desk.database.reading() as session:
        day = read_day(session, desk.queue().id, (NOW - DAY, NOW + DAY), 0)
        estimate = production_estimate(session, desk.queue().id)
    assert (day.rows, estimate.rows, [one.label for one in estimate.labels]) == (3, 3, [REFUND])


def test_a_thousand_labels_change_nothing(open_desk: OpenDesk) -> None:
    labels = [f"label {number}" for number in range(1000)]
    desk = open_desk(labels=labels, flagging={"budget": "5 a day", "audit_share": 1e-9})
    cut(desk, [])
    desk.ingest(*(sent(chances=dict.fromkeys(labels, 0.0005) | {label: 0.5}) for label in labels[:8]))
    assert (spend(desk), waiting(desk)) == (5, 3)
    with desk.database.reading() as session:
        day = read_day(session, desk.queue().id, (NOW - DAY, NOW + DAY), 0)
        reading = budget_reading(session, desk.queue().id, desk.rules, NOW)
    assert day.rows == 8
    assert reading is not None
    assert (reading.came, reading.waiting) == (5, 3)


def test_two_queues_have_promises_of_their_own(database: Database) -> None:
    first = support_policy(flagging=PROMISED).queues[0]
    other = first.model_copy(update={"name": "other", "channel": "C_OTHER"})
    desk = opened(database, Policy(queues=(first, other)))
    cut(desk, [0.05] * 200)
    with database.reading() as session:
        work, nothing = (promise_work(session, queue, NOW) for queue in (first, other))
    assert nothing is None, "it has no cut yet"
    assert work is not None
    with database.transaction() as session:
        store_promise(session, first, work, {}, NOW)
        assert len(session.scalars(select(PromiseState)).all()) == 1
