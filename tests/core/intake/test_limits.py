"""Budget, promise, estimate, weak slices and drift at their limits: no traffic, weekends, one label, a thousand, audits
that are never settled, a model that is always sure, a clock that was set back, two queues."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from core.intake.cuts import cut_work, expected_volume, present_cuts, store_cut
from core.intake.daily_readings import read_day, unread_day
from core.intake.promises import promise_work, store_promise
from core.intake.slice_cards import slice_cards
from core.intake.waiting import open_next
from core.intake.weak_slices import ask_about, asked_slices, store_slices
from core.learning.lifecycle.production import ProductionEstimate, production_estimate
from core.policy import Policy, QueuePolicy
from core.quality.drift import DayCounts
from core.quality.promise import REVIEW_NONE, SampledStratum, Strata, loosest_cut
from core.quality.slices import KnownRow, Look, WeakSlice, looks_of, weak_slices
from core.queues import queue_named
from core.records.predictions import WaitingPrediction
from core.records.promises import PromiseState
from core.records.reviews import ReviewItem
from core.review.budget_reading import BudgetReading, budget_reading
from core.review.known_rows import known_rows
from core.review.promise_reading import PromiseReading, promise_reading
from core.storage.database import Database
from core.vocabulary import PromiseStatus, SliceKind
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NOW, REFUND, SURE, Desk, opened, sent
from tests.people import ANA, BEN, CLEO, support_policy

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


@dataclass(frozen=True)
class Looks:
    """What each of the five says. slices: the search and the number of settled rows that it had."""

    budget: BudgetReading | None
    promise: PromiseReading | None
    estimate: ProductionEstimate
    slices: tuple[list[WeakSlice], int]
    drift: DayCounts


def looks(desk: Desk, policy: QueuePolicy | None = None, now: datetime = NOW) -> Looks:
    queue = policy or desk.rules
    with desk.database.reading() as session:
        queue_id = queue_named(session, queue.name).id
        rows = known_rows(session, queue_id)
        return Looks(
            budget_reading(session, queue_id, queue, now),
            promise_reading(session, queue_id, queue, now),
            production_estimate(session, queue_id),
            (weak_slices(rows), len(rows)),
            read_day(session, queue_id, (now - DAY, now + DAY), 0),
        )


def waiting(desk: Desk) -> int:
    with desk.database.reading() as session:
        return session.scalar(select(func.count()).where(WaitingPrediction.ended_at.is_(None))) or 0


def test_a_queue_without_traffic_asks_for_nothing_and_claims_nothing(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging=PROMISED)
    with desk.database.transaction() as session:
        assert cut_work(session, desk.rules, None, NOW) is None
        assert promise_work(session, desk.rules, NOW) is None
        assert unread_day(session, desk.rules, NOW) is None
        assert open_next(session, desk.rules, NOW) == 0
    found = looks(desk)
    assert found.budget == BudgetReading("20%", None, 0, 0, 0)
    assert found.promise is not None
    assert (found.promise.status, found.promise.needed) == (PromiseStatus.NOT_YET, None)
    assert found.estimate == ProductionEstimate(None, None, 0, 0, 0, ())
    assert (found.slices, found.drift.rows, found.drift.model) == (([], 0), 0, None)


def test_audits_that_are_never_settled_leave_each_of_them_silent(open_desk: OpenDesk) -> None:
    """The promise counts them as wrong; the estimate, slices and drift do not know them."""
    desk = open_desk(flagging=PROMISED | {"audit_share": 0.999999, "budget": "100%"})
    cut(desk, [0.05] * 200)
    desk.ingest(*(sent(chances=SURE) for _ in range(40)))
    spend(desk)
    later = NOW + 4 * DAY
    with desk.database.reading() as session:
        work = promise_work(session, desk.rules, later)
    assert work is not None
    accepted, reviewed = work.sample.strata({}).accepted, work.sample.strata({}).reviewed
    assert len(accepted.wrong) + len(reviewed.wrong) == accepted.sampled + reviewed.sampled == 40
    with desk.database.transaction() as session:
        store_promise(session, desk.rules, work, {}, later)
    found = looks(desk)
    assert found.promise is not None
    assert found.promise.status is PromiseStatus.NOT_YET
    assert (found.estimate.audits, found.estimate.right, found.slices) == (0, None, ([], 0))
    assert (found.drift.rows, found.drift.settled, found.drift.none_of_these) == (40, {}, 0)


def test_a_model_that_is_always_sure_is_estimated_from_its_audits_alone(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"audit_share": 0.5})
    desk.ingest(*(sent(chances={REFUND: 1.0}) for _ in range(8)))
    with desk.database.reading() as session:
        audited = list(session.scalars(select(ReviewItem.id)))
    for item_id in audited:
        for person in (ANA, BEN):
            desk.click(person, item_id, BILLING)
    found = looks(desk)
    assert 0 < len(audited) < 8
    assert (found.estimate.rows, found.estimate.reviewed, found.estimate.audits) == (8, 4, len(audited))
    assert found.slices == ([], len(audited)), "fewer than thirty rows"
    assert found.drift.confidences[-1] == 8


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
        estimate = production_estimate(session, desk.queue().id)
    assert day.rows == 8
    assert len(estimate.labels) == 8
    assert {one.right for one in estimate.labels} == {None}, "a label is told when it has enough audits"
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


def test_two_queues_are_estimated_searched_and_read_apart(database: Database) -> None:
    first = support_policy(flagging={"audit_share": 1e-9}).queues[0]
    other = first.model_copy(update={"name": "other", "channel": "C_OTHER"})
    desk = opened(database, Policy(queues=(first, other)))
    desk.settled(ANA, BEN, answer=BILLING)
    mine, theirs = looks(desk), looks(desk, other)
    assert (mine.estimate.rows, mine.slices, mine.drift.wrong) == (1, ([], 1), {REFUND: 1})
    assert (theirs.estimate.rows, theirs.slices, theirs.drift.rows) == (0, ([], 0), 0)


def test_a_clock_that_was_set_back_hides_no_slice_and_ends_no_wish(open_desk: OpenDesk) -> None:
    desk, look = open_desk(), Look(SliceKind.LABEL, REFUND)
    desk.ingest(sent(chances=SURE))
    queue_id = desk.queue().id
    for now in (NOW + DAY, NOW):
        with desk.database.transaction() as session:
            store_slices(session, queue_id, "sender-1", [WeakSlice(look, 60, 41, 0.3, 0.001)], [], now)
    with desk.database.transaction() as session:
        [card] = slice_cards(session, queue_id, desk.rules, NOW)
        ask_about(session, card.subject, CLEO, NOW + DAY, desk.policy)
    with desk.database.reading() as session:
        assert [one.look for one in asked_slices(session, queue_id, desk.rules, NOW)] == [look]


def test_a_thousand_labels_are_searched_in_a_moment() -> None:
    """None has thirty settled rows, so none is tested by itself."""
    rows = [
        KnownRow(n, f"word{n % 7}", {}, f"label {n % 1000}", f"label {n % 999}", n % 5 == 0, n % 2 == 0)
        for n in range(3000)
    ]
    assert {look.kind for look in looks_of(rows)} <= {SliceKind.TERM, SliceKind.LENGTH}
    assert weak_slices(rows) == []
