"""A budget: the cut that spends it, the line of those that wait, what is opened first, and what lapses."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from slack_sdk import WebClient
from sqlalchemy import func, select

from bot.runtime.services import assemble
from core.intake.budget_preview import BudgetPreview, budget_preview
from core.intake.cuts import FEWEST, NEVER, cut_at, cut_work, expected_volume, store_cut
from core.intake.ingest import record_predictions
from core.intake.predictions import NewPrediction, checked_prediction
from core.intake.waiting import LAPSE, may_open, open_next
from core.learning.lifecycle.production import production_estimate
from core.policy import Policy
from core.policy.flagging import Budget
from core.privacy.erasure import erase
from core.records.predictions import Flag, FlagCut, Prediction, WaitingPrediction
from core.records.promises import PromiseState
from core.records.reviews import ReviewItem
from core.review.budget_reading import BudgetReading, budget_reading
from core.storage.database import Database
from core.vocabulary import Destination, Reason, WaitState
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NOW, REFUND, Desk, opened, sent
from tests.core.models import promoted, seeded
from tests.people import ANA, BEN, CLEO, support_policy
from tests.steps import step_of

spend_budgets = step_of("budgets")

DAY = timedelta(days=1)


def chances(score: float) -> dict[str, float]:
    return {REFUND: 1 - score, BILLING: score}


def arrive(desk: Desk, *scores: float, now: datetime = NOW) -> None:
    """A prediction for each score, whose text is the score."""
    desk.ingest(*(sent(f"score {score}", chances(score)) for score in scores), now=now)


def cut(desk: Desk, scores: Sequence[float] = (), now: datetime = NOW) -> None:
    with desk.database.transaction() as session:
        store_cut(session, desk.rules, "sender-1", scores, {}, now)


def spend(desk: Desk, now: datetime = NOW) -> list[str]:
    """Opens what there is room for; returns the texts, in the order of their items. A look before says so."""
    waits = select(func.count()).where(WaitingPrediction.ended_at.is_(None))
    with desk.database.transaction() as session:
        before, waited = session.scalar(select(func.max(ReviewItem.id))) or 0, session.scalar(waits)
        foreseen = may_open(session, desk.rules, now)
        open_next(session, desk.rules, now)
        assert foreseen or session.scalar(waits) == waited
        opened = select(Prediction.text).join(ReviewItem).where(ReviewItem.id > before).order_by(ReviewItem.id)
        return list(session.scalars(opened))


def may_spend(desk: Desk, now: datetime = NOW) -> bool:
    with desk.database.reading() as session:
        return may_open(session, desk.rules, now)


def reading(desk: Desk, now: datetime = NOW) -> BudgetReading:
    with desk.database.reading() as session:
        found = budget_reading(session, desk.queue().id, desk.rules, now)
    assert found is not None
    return found


def states(desk: Desk) -> dict[str, list[WaitState]]:
    with desk.database.reading() as session:
        found = select(Prediction.text, WaitingPrediction.state).join(
            WaitingPrediction, WaitingPrediction.prediction_id == Prediction.id
        )
        rows = session.execute(found.order_by(WaitingPrediction.id)).all()
    return {text: [state for each, state in rows if each == text] for text, _state in rows}


@pytest.mark.parametrize(
    ("words", "budget"),
    [
        ("60 a day", Budget(60, None)),
        ("20%", Budget(None, 0.2)),
        ("12.5 %", Budget(None, 0.125)),
        ("100%", Budget(None, 1.0)),
        ("many", None),
        ("0%", None),
    ],
)
def test_a_budget_is_a_number_of_items_or_a_share(words: str, budget: Budget | None) -> None:
    assert Budget.parse(words) == budget


def test_the_lot_and_the_rule_together_spend_the_budget() -> None:
    """Of 300 predictions the lot draws 15; a rule flags a share of all rows, and the lot's are open already."""
    items, share = Budget(60, None), Budget(None, 0.2)
    for budget in (items, share):
        by_rule = budget.rule_share(300, 0.05)
        assert 300 * (0.05 + 0.95 * by_rule) == pytest.approx(60)
        assert budget.asked(300) == 60
    assert items.rule_share(None, 0.05) == items.rule_share(0, 0.05) == 1.0, "the volume is not known"
    assert items.rule_share(10_000, 0.05) == 0.0, "the lot alone takes it"
    assert share.rule_share(300, 1.0) == 0.0


def test_the_cut_is_where_the_share_of_the_newest_scores_ends() -> None:
    scores = [number / 1000 for number in range(1000)]
    assert cut_at(scores, 0.2) == 0.8
    assert sum(score >= cut_at(scores, 0.2) for score in scores) == 200
    assert cut_at(scores, 0.0) == NEVER
    assert cut_at(scores, 1.0) == 0.0
    assert cut_at([0.0] * 1000, 0.2) == 0.0, "a model that is always sure is ranked by nothing"
    assert cut_at(scores[: FEWEST - 1], 0.2) == 0.0


def test_the_least_sure_are_opened_first_and_no_more_than_the_day_has_room_for(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"budget": "2 a day"})
    cut(desk)
    arrive(desk, 0.1, 0.4, 0.2, 0.3)
    assert spend(desk) == ["score 0.4", "score 0.3"]
    assert spend(desk) == []
    assert not may_spend(desk), "what waits has to wait for the day's room"
    assert reading(desk) == BudgetReading("2 a day", 2, 2, 2, 0)
    assert may_spend(desk, NOW + DAY)
    assert spend(desk, NOW + DAY) == ["score 0.2", "score 0.1"]
    assert reading(desk, NOW + DAY) == BudgetReading("2 a day", 2, 2, 0, 0)


def test_what_is_below_the_cut_does_not_wait(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"budget": "60%"})
    cut(desk, [number / 1000 for number in range(1000)])
    arrive(desk, 0.39, 0.4)
    assert states(desk) == {"score 0.4": [WaitState.WAITING]}


def test_the_first_cut_comes_before_anything_is_opened(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"budget": "5 a day"})
    arrive(desk, 0.5, 0.1)
    assert (spend(desk), states(desk)) == ([], {"score 0.5": [WaitState.WAITING]}), "the typed threshold decides"
    cut(desk)
    assert spend(desk) == ["score 0.5"]


def test_what_waited_for_a_week_lapses_and_counts_as_accepted(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"budget": "1 a day", "audit_share": 1e-9})
    cut(desk)
    arrive(desk, 0.4, 0.3)
    assert spend(desk) == ["score 0.4"]
    later = NOW + LAPSE + timedelta(seconds=1)
    assert spend(desk, later) == []
    assert states(desk) == {"score 0.4": [WaitState.OPENED], "score 0.3": [WaitState.LAPSED]}
    assert reading(desk, later).lapsed == 1
    with desk.database.reading() as session:
        found = production_estimate(session, desk.queue().id)
    assert (found.rows, found.reviewed) == (2, 1)


def test_the_lot_goes_first_and_never_lapses(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"budget": "1 a day", "audit_share": 1.0})
    cut(desk)
    arrive(desk, 0.4, 0.3)
    assert spend(desk, NOW + 2 * LAPSE) == ["score 0.4"]
    assert states(desk) == {
        "score 0.4": [WaitState.OPENED, WaitState.LAPSED],
        "score 0.3": [WaitState.WAITING, WaitState.LAPSED],
    }
    [item] = spend(desk, NOW + 2 * LAPSE + DAY)
    assert item == "score 0.3"


def test_an_audited_prediction_takes_room_once_and_waits_for_the_rules_turn_as_others_do(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"budget": "3 a day", "audit_share": 1.0})
    cut(desk)
    arrive(desk, 0.4, 0.3, 0.2)
    assert spend(desk) == ["score 0.4", "score 0.3", "score 0.2"]
    assert set(map(tuple, states(desk).values())) == {(WaitState.OPENED, WaitState.WAITING)}
    assert spend(desk, NOW + DAY) == []
    assert set(map(tuple, states(desk).values())) == {(WaitState.OPENED, WaitState.OPENED)}
    with desk.database.reading() as session:
        assert session.scalars(select(ReviewItem.blind)).all() == [True] * 3
        reasons = session.scalars(select(Flag.reason)).all()
    assert sorted(reasons) == [Reason.AUDIT] * 3 + [Reason.UNCERTAIN] * 3


def test_what_a_person_reports_is_opened_at_once_and_stays_an_audit(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"budget": "1 a day", "audit_share": 1.0}, golden={"audited_share": 0.0})
    cut(desk)
    row = sent("reported", chances(0.4))
    desk.ingest(row)
    [waiting] = _rows(desk)
    item_id = desk.flag(waiting)
    for person in (ANA, BEN):
        desk.click(person, item_id, BILLING)
    assert desk.item(item_id).blind
    assert desk.correction(item_id).destination is Destination.HELD_OUT
    assert spend(desk, NOW + DAY) == [], "it has its item"
    assert states(desk)["reported"] == [WaitState.OPENED, WaitState.OPENED]


def _rows(desk: Desk) -> list[NewPrediction]:
    with desk.database.reading() as session:
        return [
            NewPrediction(row.external_id, row.model_version, row.text, label=row.label, confidence=row.confidence)
            for row in session.scalars(select(Prediction))
        ]


def test_what_was_erased_leaves_the_line(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"budget": "1 a day", "audit_share": 1.0})
    cut(desk)
    desk.ingest(sent("gone", chances(0.4), external_id="T-gone"))
    with desk.database.transaction() as session:
        erase(session, desk.rules.name, "T-gone", NOW)
    assert spend(desk) == []
    assert reading(desk).waiting == 0


def test_the_volume_is_the_median_of_the_same_weekdays(open_desk: OpenDesk) -> None:
    """Tuesdays with 1, 9, 3 and 2 predictions; Mondays have 5."""
    desk = open_desk(flagging={"budget": "1 a day"})
    for week, count in enumerate((1, 9, 3, 2), 1):
        arrive(desk, *(number / 100 for number in range(count)), now=NOW - week * 7 * DAY)
        arrive(desk, *(number / 100 for number in range(5)), now=NOW - week * 7 * DAY - DAY)
    with desk.database.reading() as session:
        assert expected_volume(session, desk.queue().id, desk.rules, NOW) == 2


def test_a_young_queue_is_judged_by_its_last_days_and_a_new_one_not_at_all(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"budget": "1 a day"}, time_zone="Pacific/Auckland")
    arrive(desk, 0.1, 0.2, now=NOW)
    with desk.database.reading() as session:
        queue_id = desk.queue().id
        assert expected_volume(session, queue_id, desk.rules, NOW) is None
        assert expected_volume(session, queue_id, desk.rules, NOW + DAY) == 2


def test_until_the_volume_is_known_a_share_is_one_of_todays_predictions(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"budget": "50%"})
    cut(desk)
    assert reading(desk).asked is None
    arrive(desk, 0.4, 0.3, 0.2, 0.1)
    assert spend(desk) == ["score 0.4", "score 0.3"]


def test_a_cut_is_made_anew_after_five_minutes_and_for_another_model_at_once(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"budget": "50%"})
    arrive(desk, 0.4)
    cut(desk)
    with desk.database.reading() as session:
        assert cut_work(session, desk.rules, None, NOW + timedelta(minutes=4)) is None
        later = cut_work(session, desk.rules, None, NOW + timedelta(minutes=5))
        back = cut_work(session, desk.rules, None, NOW - timedelta(minutes=5))
        promoted = cut_work(session, desk.rules, "v1", NOW)
    assert back is not None, "the clock was set back"
    assert later is not None
    assert (later.model, later.known, later.others, later.waiting) == ("sender-1", (0.4,), (), ())
    assert promoted is not None
    assert (promoted.model, promoted.known, len(promoted.others), len(promoted.waiting)) == ("v1", (), 1, 1)


def test_a_new_model_ranks_what_waits_anew(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"budget": "1 a day"})
    cut(desk)
    arrive(desk, 0.4, 0.3)
    with desk.database.transaction() as session:
        ids = dict(session.execute(select(Prediction.text, Prediction.id)).all())
        store_cut(session, desk.rules, "v1", [], {ids["score 0.4"]: 0.05, ids["score 0.3"]: 0.5}, NOW)
        assert session.get_one(FlagCut, desk.queue().id).model_version == "v1"
    assert spend(desk) == ["score 0.3"]


def answered(desk: Desk, model: str, confidence: float, suspicion: float | None) -> None:
    """A prediction by this model. suspicion: None: a sender's own."""
    row = checked_prediction(sent(chances=chances(1 - confidence), model_version=model), desk.rules)
    with desk.database.transaction() as session:
        record_predictions(session, [replace(row, suspicion=suspicion)], NOW, desk.rules)


def waiting_scores(desk: Desk) -> list[tuple[str | None, float]]:
    with desk.database.reading() as session:
        found = select(WaitingPrediction.scored_by, WaitingPrediction.score).order_by(WaitingPrediction.id)
        return [(by, round(score, 6)) for by, score in session.execute(found)]


def test_a_models_own_suspicion_ranks_instead_of_its_probability(open_desk: OpenDesk) -> None:
    """A sender's model beside it has only probabilities, and a cut of its own."""
    desk = open_desk(flagging={"budget": "50%"})
    theirs = [0.2] * 100 + [0.4] * 100
    with desk.database.transaction() as session:
        store_cut(session, desk.rules, "v1", [0.01] * 100 + [0.05] * 100, {}, NOW, theirs)
    for model, confidence, suspicion in (("v1", 0.5, 0.04), ("v1", 0.9, 0.06), ("s", 0.7, None), ("s", 0.5, None)):
        answered(desk, model, confidence, suspicion)
    assert waiting_scores(desk) == [("v1", 0.06), (None, 0.5)]
    with desk.database.reading() as session:
        later = cut_work(session, desk.rules, "v1", NOW + timedelta(minutes=5))
        preview = budget_preview(session, desk.rules, Budget(2, None), NOW + DAY)
    assert later is not None
    assert sorted(later.known) == [0.04, 0.06]
    assert sorted(later.their_scores) == pytest.approx([0.3, 0.5])
    assert (len(later.others), len(later.waiting)) == (2, 1), "the live model scores the sender's rows anew"
    assert preview.predictions == 4


def test_a_sender_that_uses_the_live_models_name_does_not_mix_two_scales(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"budget": "50%"})
    answered(desk, "v1", 0.5, None)
    with desk.database.reading() as session:
        found = cut_work(session, desk.rules, "v1", NOW)
    assert found is not None
    assert (found.known, len(found.others)) == ((), 1)


def test_what_waits_is_scored_once_by_a_model_and_keeps_its_score_where_that_cannot_read_it(
    open_desk: OpenDesk,
) -> None:
    desk = open_desk(flagging={"budget": "50%"})
    cut(desk)
    arrive(desk, 0.4, 0.3)
    with desk.database.reading() as session:
        found = cut_work(session, desk.rules, "v1", NOW)
    assert found is not None
    first, second = (one.prediction_id for one in found.waiting)
    with desk.database.transaction() as session:
        store_cut(session, desk.rules, "v1", [], {first: 0.01, second: None}, NOW)
    assert waiting_scores(desk) == [("v1", 0.01), ("v1", 0.3)]
    with desk.database.reading() as session:
        again = cut_work(session, desk.rules, "v1", NOW + timedelta(minutes=5))
    assert again is not None
    assert again.waiting == ()


def test_a_yes_to_a_promise_lets_the_same_share_of_other_models_predictions_wait(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"budget": "10%", "promise": "2%"})
    tenths = [number / 1000 for number in range(1000)]
    with desk.database.transaction() as session:
        store_cut(session, desk.rules, "v1", tenths, {}, NOW, tenths)
        session.add(agreed_promise(desk.queue().id, cut=0.4))
        budget = session.get_one(FlagCut, desk.queue().id).others_cut
        store_cut(session, desk.rules, "v1", tenths, {}, NOW, [one / 2 for one in tenths])
        made = session.get_one(FlagCut, desk.queue().id, populate_existing=True)
    assert budget == made.budget_cut
    assert (made.cut, made.others_cut) == (0.4, 0.2)


def agreed_promise(queue_id: int, cut: float) -> PromiseState:
    return PromiseState(
        queue_id=queue_id, promised=0.02, since=NOW, model_version="v1", cut=cut, audits_then=99, said=True, audits=99,
        audits_needed=99, items_a_day=60, within_budget=0.03, agreed_items=60, agreed_by=CLEO, agreed_at=NOW,
        made_at=NOW,
    )  # fmt: skip


@pytest.mark.slow
def test_after_a_promotion_the_worker_scores_the_newest_inputs_and_what_waits(open_desk: OpenDesk) -> None:
    """The sender's model finds both equally doubtful; the live model has learnt one of them."""
    desk = open_desk(flagging={"budget": "1 a day"})
    cut(desk)
    desk.ingest(*(sent(text, chances(0.4)) for text in ("where is the parcel with my lamp", "lamp charged refund")))
    promoted(seeded(desk))
    services = replace(assemble(desk.database, WebClient(), desk.policy), clock=lambda: NOW)
    assert not spend_budgets(services)
    with desk.database.reading() as session:
        made = session.get_one(FlagCut, desk.queue().id)
        opened = session.scalars(select(Prediction.text).join(ReviewItem)).all()
    assert (made.model_version, made.scores) == ("v1", 2)
    assert opened == ["lamp charged refund"]


def test_a_queue_without_a_budget_has_no_line(desk: Desk) -> None:
    desk.ticket()
    with desk.database.transaction() as session:
        assert open_next(session, desk.rules, NOW) == 0
        assert budget_reading(session, desk.queue().id, desk.rules, NOW) is None
    assert states(desk) == {}


def test_two_queues_have_budgets_of_their_own(database: Database) -> None:
    first = support_policy(flagging={"budget": "1 a day"}).queues[0]
    other = first.model_copy(update={"name": "other", "channel": "C_OTHER"})
    desk = opened(database, Policy(queues=(other, first)))
    arrive(desk, 0.4, 0.3)
    cut(desk)
    with database.transaction() as session:
        assert open_next(session, first, NOW) == 0
    assert spend(desk) == ["score 0.4"]


def test_a_clock_that_was_set_back_opens_no_more_than_a_day(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"budget": "1 a day"})
    cut(desk)
    arrive(desk, 0.4, 0.3)
    assert spend(desk) == ["score 0.4"]
    assert spend(desk, datetime(2026, 11, 24, 1, tzinfo=UTC)) == []


def test_a_preview_says_what_four_weeks_would_have_come_to(open_desk: OpenDesk) -> None:
    """Of four a day on 28 days, two would have been opened; the more doubtful one of two audited errors is flagged."""
    desk = open_desk(flagging={"confidence": 0.0, "margin": 0.0})
    for ago in range(1, 29):
        arrive(desk, 0.1, 0.2, 0.3, 0.4, now=NOW - ago * DAY)
    audited = desk.under(flagging={"audit_share": 1.0, "confidence": 0.0})
    for score in (0.15, 0.45):
        item_id = audited.ticket(chances=chances(score), now=NOW - timedelta(hours=30))
        for person in (ANA, BEN):
            audited.click(person, item_id, BILLING)
    with desk.database.reading() as session:
        found = budget_preview(session, desk.rules, Budget(2, None), NOW)
        nothing = budget_preview(session, audited.rules, Budget(2, None), NOW)
    assert found == BudgetPreview(28, 28 * 4 + 2, items=28 * 2, checks=0, opened=2, errors=2, flagged=1)
    assert (nothing.items, nothing.checks) == (28 * 2, 28 * 2), "the lot alone takes it"


def test_a_preview_of_a_young_queue_is_of_its_own_days(open_desk: OpenDesk) -> None:
    """Its weekdays have not come four times, and some not once: a share is one of the days that there were."""
    desk = open_desk(flagging={"confidence": 0.0, "margin": 0.0, "audit_share": 1e-9})
    for ago in range(1, 6):
        arrive(desk, *(number / 100 for number in range(40)), now=NOW - ago * DAY)
    with desk.database.reading() as session:
        found = budget_preview(session, desk.rules, Budget(None, 0.5), NOW)
    assert (found.days, found.predictions, found.items) == (5, 200, 5 * 20)


def test_without_predictions_there_is_no_preview(desk: Desk) -> None:
    with desk.database.reading() as session:
        assert budget_preview(session, desk.rules, Budget(60, None), NOW) == BudgetPreview(0, 0, 0, 0, 0, 0, 0)
