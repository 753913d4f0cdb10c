"""A candidate in shadow: it predicts beside the live model, its report says where they agree, and a run waits."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from slack_sdk import WebClient
from sqlalchemy import func, select

from bot.runtime.services import Services, assemble
from bot.worker.training import train_next
from core.errors import Refusal
from core.intake.cuts import store_cut
from core.learning.lifecycle.cards import candidate_card, run_card
from core.learning.lifecycle.decisions import approve, reject, remind_of_pending
from core.learning.lifecycle.model_card import model_card
from core.learning.lifecycle.parallel import forget_parallel, store_parallel
from core.learning.lifecycle.shadow import (
    Disagreement,
    LabelAgreement,
    ShadowLine,
    ShadowReport,
    may_have_shadow,
    predictions_apart,
    report_of,
    shadow_report,
)
from core.policy import QueuePolicy
from core.privacy.erasure import erase
from core.records.delivery import Notice, Posting
from core.records.predictions import Prediction, WaitingPrediction
from core.records.rollout import ParallelPrediction
from core.vocabulary import Card, NoticeKind, Reason, RunState, RunStep
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, DELIVERY, NOW, REFUND, SURE, Desk, sent
from tests.core.models import candidate, live, model, promoted, requested, run, seeded
from tests.people import CLEO, LEADS
from tests.steps import step_of

shadow_next = step_of("shadows")

pytestmark = pytest.mark.slow  # a fitted model or a process in most of them


DAY = timedelta(hours=24)
PARCEL = "where is the parcel with my lamp"


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    return seeded(open_desk(rollout={"shadow_hours": 24}))


def services(desk: Desk, now: datetime) -> Services:
    return replace(assemble(desk.database, WebClient(), desk.policy), clock=lambda: now)


def worked(desk: Desk, now: datetime) -> None:
    while shadow_next(services(desk, now)):
        pass


def begun(desk: Desk) -> int:
    """A candidate beside a live model, in shadow since NOW."""
    promoted(replace(desk, policy=desk.policy.model_copy(update={"queues": (without_shadow(desk),)})))
    model_id = candidate(desk)
    worked(desk, NOW)
    return model_id


def without_shadow(desk: Desk) -> QueuePolicy:
    return desk.rules.model_copy(update={"rollout": desk.rules.rollout.model_copy(update={"shadow_hours": 0})})


def report(desk: Desk, model_id: int) -> ShadowReport | None:
    with desk.database.reading() as session:
        return shadow_report(session, model_id)


def looks_for_work(desk: Desk) -> bool:
    with desk.database.reading() as session:
        return may_have_shadow(session, desk.rules)


def on_card(desk: Desk, model_id: int) -> ShadowLine | None:
    with desk.database.reading() as session:
        return candidate_card(session, model_id, desk.policy).shadow


def rows(desk: Desk) -> int:
    with desk.database.reading() as session:
        return session.scalar(select(func.count()).select_from(ParallelPrediction)) or 0


def yes(desk: Desk, model_id: int, now: datetime) -> bool:
    with desk.database.transaction() as session:
        return approve(session, model_id, CLEO, 1, now, desk.policy)


def test_the_candidate_predicts_what_others_answered_and_the_report_says_where_it_agrees(desk: Desk) -> None:
    desk.ingest(sent("before the shadow"), now=NOW - DAY)
    model_id = begun(desk)
    desk.ingest(sent(PARCEL, SURE), sent("charged my card twice", {BILLING: 0.9, REFUND: 0.1}), now=NOW)
    worked(desk, NOW + timedelta(minutes=1))
    expected = ShadowReport(
        2,
        1,
        (LabelAgreement(REFUND, 1, 0), LabelAgreement(BILLING, 1, 1)),
        (Disagreement(REFUND, DELIVERY, 1),),
    )
    assert report(desk, model_id) == expected
    assert on_card(desk, model_id) == ShadowLine(NOW + DAY, None), "while it runs, the card says until when"
    worked(desk, NOW + DAY + timedelta(minutes=1))
    assert on_card(desk, model_id) == ShadowLine(NOW + DAY, expected)
    with desk.database.reading() as session:
        assert model_card(session, model_id, desk.policy).shadow == expected
        [apart] = predictions_apart(session, model_id)
    assert (apart.answered, apart.candidate) == (REFUND, DELIVERY)


def test_with_a_budget_what_the_candidate_calls_otherwise_waits(desk: Desk) -> None:
    begun(desk)
    budget = desk.under(rollout={"shadow_hours": 24}, flagging={"budget": "1%", "audit_share": 1e-9})
    with desk.database.transaction() as session:
        store_cut(session, budget.rules, "v1", [0.5] * 200, {}, NOW, [0.5] * 200)
    budget.ingest(sent(PARCEL, SURE), sent("charged my card twice", {BILLING: 0.9, REFUND: 0.1}), now=NOW)
    worked(budget, NOW + timedelta(minutes=1))
    with desk.database.reading() as session:
        waiting = session.execute(select(WaitingPrediction.reason, WaitingPrediction.values)).all()
    assert [tuple(one) for one in waiting] == [(Reason.DISAGREEMENT, {"label": DELIVERY, "model": "v2"})]


def test_what_comes_after_its_hours_is_not_in_the_report(desk: Desk) -> None:
    model_id = begun(desk)
    desk.ingest(sent(PARCEL, SURE), now=NOW + DAY)
    worked(desk, NOW + DAY + timedelta(minutes=1))
    found = report(desk, model_id)
    assert found is not None
    assert found.n == 0


def test_a_check_mark_promotes_only_when_the_report_is_there(desk: Desk) -> None:
    model_id = begun(desk)
    with pytest.raises(Refusal, match=r"v2 is in shadow until 2026-11-25 09:00 UTC"):
        yes(desk, model_id, NOW)
    worked(desk, NOW + DAY + timedelta(minutes=1))
    assert yes(desk, model_id, NOW + DAY)
    assert live(desk) == model_id


def test_before_it_has_begun_a_check_mark_promotes_nothing_either(desk: Desk) -> None:
    model_id = candidate(desk)
    with pytest.raises(Refusal, match="v1 is in shadow from now on"):
        yes(desk, model_id, NOW)


def test_a_worker_writes_for_a_shadow_only_while_there_is_one(desk: Desk) -> None:
    candidate(desk, passed=False)
    assert not looks_for_work(desk), "the gate refused it"
    model_id = candidate(desk)
    assert looks_for_work(desk)
    worked(desk, NOW)
    assert looks_for_work(desk)
    worked(desk, NOW + 2 * DAY)
    assert report(desk, model_id) is not None
    assert not looks_for_work(desk), "its hours are over"


def test_without_hours_there_is_no_shadow(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk())
    model_id = candidate(desk)
    worked(desk, NOW)
    assert (on_card(desk, model_id), report(desk, model_id)) == (None, None)
    assert yes(desk, model_id, NOW)


def test_what_the_gate_refused_has_no_shadow_and_keeps_no_run_waiting(desk: Desk) -> None:
    model_id = candidate(desk, passed=False)
    worked(desk, NOW)
    assert report(desk, model_id) is None
    run_id = requested(desk) or 0
    assert train_next(services(desk, NOW))
    assert run(desk, run_id).state is RunState.DONE


def test_a_new_run_waits_until_the_shadow_has_ended(desk: Desk) -> None:
    begun(desk)
    run_id = requested(desk) or 0
    for minutes in (0, 2):
        assert train_next(services(desk, NOW + timedelta(minutes=minutes)))
        assert run(desk, run_id).state is RunState.REQUESTED
    assert not train_next(services(desk, NOW + timedelta(minutes=2, seconds=30))), "it looks again after a minute"
    with desk.database.reading() as session:
        progress = run_card(session, run_id, desk.policy).progress
    assert (progress.code, progress.values) == (RunStep.SHADOW, {"model": "v2"})
    later = NOW + DAY + timedelta(minutes=5)
    worked(desk, later)
    assert train_next(services(desk, later))
    assert run(desk, run_id).state is RunState.DONE


def test_a_no_ends_it_at_once(desk: Desk) -> None:
    model_id = begun(desk)
    with desk.database.transaction() as session:
        reject(session, model_id, CLEO, NOW, desk.policy)
    worked(desk, NOW)
    line = on_card(desk, model_id)
    assert line is not None
    assert line.report == ShadowReport(0, 0, (), ())


def over(desk: Desk) -> list[tuple[str, str | None, dict[str, Any]]]:
    """What was said about shadows that are over."""
    with desk.database.reading() as session:
        found = session.scalars(select(Notice).where(Notice.kind == NoticeKind.SHADOW_OVER))
        return [(notice.channel, notice.person, notice.values) for notice in found]


def test_the_leads_are_told_once_that_it_has_ended(desk: Desk) -> None:
    model_id = begun(desk)
    desk.ingest(sent(PARCEL, SURE), sent("charged my card twice", {BILLING: 0.9, REFUND: 0.1}), now=NOW)
    with desk.database.transaction() as session:
        found = select(Posting).where(Posting.card == Card.CANDIDATE, Posting.subject_id == model_id)
        session.scalars(found).one().ts = "1.000100"
    worked(desk, NOW + timedelta(minutes=1))
    assert over(desk) == []
    for minutes in (1, 2):
        worked(desk, NOW + DAY + timedelta(minutes=minutes))
    values = {"queue": "Support tickets", "model": "v2", "n": 2, "agreed": 1, "report": [LEADS, "1.000100"]}
    assert over(desk) == [(LEADS, None, values)]


def test_a_shadow_that_a_no_has_ended_is_not_told(desk: Desk) -> None:
    model_id = begun(desk)
    with desk.database.transaction() as session:
        reject(session, model_id, CLEO, NOW, desk.policy)
    worked(desk, NOW + DAY + timedelta(minutes=1))
    assert over(desk) == []


def test_the_leads_are_reminded_when_it_has_ended_not_before(desk: Desk) -> None:
    begun(desk)

    def reminders(after: timedelta) -> int:
        with desk.database.transaction() as session:
            remind_of_pending(session, NOW + after, desk.policy)
            found = select(func.count()).where(Notice.kind == NoticeKind.DECISION_PENDING)
            return session.scalar(found) or 0

    assert reminders(2 * DAY - timedelta(seconds=1)) == 0
    worked(desk, NOW + DAY + timedelta(seconds=5))
    assert reminders(2 * DAY + timedelta(seconds=5)) == 1


def test_what_it_said_goes_with_the_text_and_the_report_stays(desk: Desk) -> None:
    model_id = begun(desk)
    desk.ingest(sent(PARCEL, SURE, external_id="T-gone"), sent("charged my card twice", SURE), now=NOW)
    worked(desk, NOW + DAY + timedelta(minutes=1))
    before = report(desk, model_id)
    with desk.database.transaction() as session:
        erase(session, "support", "T-gone", NOW)
    assert rows(desk) == 1
    assert report(desk, model_id) == before


def test_what_was_erased_meanwhile_is_not_stored(desk: Desk) -> None:
    model_id = begun(desk)
    desk.ingest(sent(PARCEL, SURE, external_id="T-gone"), now=NOW)
    with desk.database.transaction() as session:
        erase(session, "support", "T-gone", NOW)
        prediction = session.scalars(select(Prediction.id)).one()
    with desk.database.transaction() as session:
        store_parallel(session, model_id, {prediction: SURE}, NOW)
    assert rows(desk) == 0


def test_what_it_said_is_forgotten_after_a_while_but_not_while_it_runs(desk: Desk) -> None:
    begun(desk)
    desk.ingest(sent(PARCEL, SURE), now=NOW)
    worked(desk, NOW + timedelta(minutes=1))

    def forgotten() -> int:
        with desk.database.transaction() as session:
            return forget_parallel(session, NOW + 90 * DAY)

    assert forgotten() == 0
    worked(desk, NOW + DAY + timedelta(minutes=1))
    assert (forgotten(), forgotten(), rows(desk)) == (1, 0, 0)


def test_a_policy_without_a_shadow_ends_it(desk: Desk) -> None:
    model_id = begun(desk)
    off = desk.under(rollout={"shadow_hours": 0})
    worked(off, NOW + timedelta(minutes=1))
    assert report(off, model_id) == ShadowReport(0, 0, (), ())
    assert model(off, model_id).asked_at == NOW + timedelta(minutes=1)
    assert yes(off, model_id, NOW)


def test_a_report_is_in_the_order_in_which_one_reads_it() -> None:
    found = report_of([("a", "a", 8), ("a", "b", 2), ("b", "b", 5), ("c", "a", 3), ("b", "c", 5)])
    assert (found.n, found.agreed) == (23, 13)
    assert [one.label for one in found.labels] == ["c", "b", "a"]
    assert [(one.answered, one.candidate) for one in found.disagreements] == [("b", "c"), ("c", "a"), ("a", "b")]
    assert report_of([]) == ShadowReport(0, 0, (), ())
