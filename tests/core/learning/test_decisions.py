"""Leads decide about candidates. No model goes live without approval; every decision can be explained later."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.delivery.card_refs import CardRef, microseconds
from core.errors import AlreadySettled, Invalid, NotAllowed, NotFound, Outdated, Refusal
from core.learning.lifecycle.decisions import (
    approve,
    candidate_meant,
    overrule,
    reject,
    remind_of_pending,
    withdraw_approval,
)
from core.learning.lifecycle.late_withdrawal import tell_stays_live
from core.learning.lifecycle.models import newest_evaluation
from core.learning.lifecycle.promotion import go_live
from core.learning.lifecycle.rollback import rollback
from core.learning.lifecycle.runs import EVALUATE
from core.people.members import Person, sync_members
from core.records.delivery import Notice
from core.records.learning import Approval, Evaluation, Live, ModelVersion, Snapshot, TrainingRun
from core.storage.database import PATIENT
from core.vocabulary import Card, DecisionKind, InactiveReason, ModelState, NoticeKind, Role
from tests.core.conftest import OpenDesk
from tests.core.desk import NOW, Desk, sent
from tests.core.models import (
    candidate,
    decisions,
    evaluated_again,
    live,
    model,
    promoted,
    requested,
    seeded,
    waiting_jobs,
)
from tests.people import ANA, CLEO, DAN, LEADS

pytestmark = pytest.mark.slow  # a fitted model or a process in most of them


LEO = "U_LEO"  # a lead whose account is deactivated
WHY = "the past errors were mislabelled"
APPROVE, REJECT, OVERRULE, OVERRULE_WITHOUT_REASON, WITHDRAW = "approve", "reject", "overrule", "overrule…", "withdraw"


def act(desk: Desk, what: str, model_id: int, person: str = CLEO, at: int = 1) -> bool | None:
    """at: microseconds after an hour from now, when every report of a test is there to be read."""
    reacted_at = microseconds(NOW + timedelta(hours=1)) + at
    with desk.database.transaction(wait=PATIENT) as session:
        if what == APPROVE:
            return approve(session, model_id, person, reacted_at, NOW, desk.policy)
        if what == REJECT:
            reject(session, model_id, person, NOW, desk.policy)
        elif what in (OVERRULE, OVERRULE_WITHOUT_REASON):
            why = WHY if what == OVERRULE else "  because  "
            overrule(session, CardRef(model_id), shown(session, model_id), person, why, NOW, desk.policy)
        else:
            withdraw_approval(session, model_id, person, reacted_at, NOW)
        return None


def shown(session: Session, model_id: int) -> int:
    """The evaluation that the newest report is about."""
    found = select(Evaluation.id).where(Evaluation.model_id == model_id).order_by(Evaluation.id.desc())
    return session.scalar(found.limit(1)) or 0


def rolled_back(desk: Desk, person: str = CLEO, reason: str = "", seconds: float = 0) -> str:
    with desk.database.transaction() as session:
        return rollback(session, desk.queue(), person, reason, NOW + timedelta(seconds=seconds), desk.rules)


def refused(desk: Desk) -> int:
    return candidate(desk, passed=False)


def outdated(desk: Desk) -> int:
    """A candidate whose evaluation is of before a roll-back."""
    promoted(desk)
    promoted(desk)
    model_id = candidate(desk)
    rolled_back(desk)
    return model_id


def retired(desk: Desk) -> int:
    model_id = promoted(desk)
    promoted(desk)
    return model_id


def rejected(desk: Desk) -> int:
    model_id = candidate(desk)
    act(desk, REJECT, model_id)
    return model_id


def superseded(desk: Desk) -> int:
    model_id = candidate(desk)
    candidate(desk)
    return model_id


@dataclass(frozen=True)
class Row:
    sentence: str
    made: Callable[[Desk], int]
    person: str
    act: str
    state: ModelState
    told: type[Refusal] | None = None
    words: str = ""


CANDIDATE, LIVE = ModelState.CANDIDATE, ModelState.LIVE
TABLE = [
    Row("a lead's yes promotes what passed", candidate, CLEO, APPROVE, LIVE),
    Row("a lead's no ends it", candidate, CLEO, REJECT, ModelState.REJECTED),
    Row("what passed needs no overruling", candidate, CLEO, OVERRULE, CANDIDATE, Refusal, "passed v"),
    Row("a yes that was never given is taken back", candidate, CLEO, WITHDRAW, CANDIDATE),
    Row("a non-lead's yes", candidate, DAN, APPROVE, CANDIDATE, NotAllowed, "Only leads of Support tickets"),
    Row("a reviewer's yes", candidate, ANA, APPROVE, CANDIDATE, NotAllowed, "Only leads"),
    Row("a non-lead's no", candidate, DAN, REJECT, CANDIDATE, NotAllowed, "Only leads"),
    Row("a deactivated lead's yes", candidate, LEO, APPROVE, CANDIDATE, NotAllowed, InactiveReason.DEACTIVATED),
    Row("a yes to what the gate refused", refused, CLEO, APPROVE, CANDIDATE, Refusal, "use “Overrule…”"),
    Row("a no to what the gate refused", refused, CLEO, REJECT, ModelState.REJECTED),
    Row("overruling with a reason", refused, CLEO, OVERRULE, LIVE),
    Row("overruling without one", refused, CLEO, OVERRULE_WITHOUT_REASON, CANDIDATE, Invalid, "at least 10 characters"),
    Row("a non-lead overrules", refused, DAN, OVERRULE, CANDIDATE, NotAllowed, "Only leads"),
    Row("a yes to an old report", outdated, CLEO, APPROVE, CANDIDATE, Refusal, "The live model changed after v"),
    Row("overruling an old report", outdated, CLEO, OVERRULE, CANDIDATE, Refusal, "The live model changed after"),
    Row("a no to an old report", outdated, CLEO, REJECT, ModelState.REJECTED),
    Row("a second yes", promoted, CLEO, APPROVE, LIVE, AlreadySettled, "is already live. Nothing was changed."),
    Row("a no to what is live", promoted, CLEO, REJECT, LIVE, AlreadySettled, "is already live"),
    Row("a yes taken back too late", promoted, CLEO, WITHDRAW, LIVE),
    Row("a non-lead's yes to what is live", promoted, DAN, APPROVE, LIVE, NotAllowed, "Only leads"),
    Row("a yes to a former model", retired, CLEO, APPROVE, ModelState.RETIRED, AlreadySettled, "has been replaced"),
    Row("a yes after a no", rejected, CLEO, APPROVE, ModelState.REJECTED, AlreadySettled, "was rejected"),
    Row("a second no", rejected, CLEO, REJECT, ModelState.REJECTED, AlreadySettled, "was rejected"),
    Row("overruling after a no", rejected, CLEO, OVERRULE, ModelState.REJECTED, AlreadySettled, "was rejected"),
    Row("a yes to a superseded one", superseded, CLEO, APPROVE, ModelState.SUPERSEDED, AlreadySettled, "superseded by"),
    Row("a no to a superseded one", superseded, CLEO, REJECT, ModelState.SUPERSEDED, AlreadySettled, "superseded by"),
]  # fmt: skip


def test_an_approval_older_than_the_current_report_does_not_count(desk: Desk) -> None:
    """Slack delivers for an hour what was not acknowledged."""
    model_id = outdated(seeded(desk))
    evaluated_again(desk)
    with pytest.raises(Refusal, match="was compared again after you reacted"):
        act(desk, APPROVE, model_id, at=-7_200_000_000)
    assert model(desk, model_id).state is ModelState.CANDIDATE
    assert act(desk, APPROVE, model_id)


def test_an_overruling_is_about_the_report_that_was_read(desk: Desk) -> None:
    promoted(seeded(desk))
    promoted(desk)
    model_id = refused(desk)
    with desk.database.reading() as session:
        former = shown(session, model_id)
    rolled_back(desk)
    evaluated_again(desk)
    with desk.database.reading() as session:
        assert shown(session, model_id) != former
    with pytest.raises(Refusal), desk.database.transaction() as session:
        overrule(session, CardRef(model_id), former, CLEO, WHY, NOW, desk.policy)
    assert model(desk, model_id).state is ModelState.CANDIDATE


def test_a_report_of_what_a_restore_lost_overrules_for_no_other_model(desk: Desk) -> None:
    model_id = refused(seeded(desk))
    lost = CardRef.of(model_id, NOW - timedelta(days=1))
    with pytest.raises(NotFound, match="a backup was restored"), desk.database.transaction() as session:
        overrule(session, lost, shown(session, model_id), CLEO, WHY, NOW, desk.policy)
    assert model(desk, model_id).state is ModelState.CANDIDATE


def test_each_act_has_the_effect_that_the_table_says(desk: Desk) -> None:
    seeded(desk)
    with desk.database.transaction() as session:
        leads = [Person(CLEO), Person(LEO, InactiveReason.DEACTIVATED)]
        sync_members(session, desk.queue().id, Role.LEAD, leads)
    for row in TABLE:
        model_id = row.made(desk)
        before, was_live = len(decisions(desk, model_id)), live(desk)
        if row.told is None:
            act(desk, row.act, model_id, row.person)
        else:
            with pytest.raises(row.told) as refusal:
                act(desk, row.act, model_id, row.person)
            assert type(refusal.value) is row.told, row.sentence
            assert row.words in str(refusal.value), row.sentence
        became = model(desk, model_id).state
        assert became is row.state, row.sentence
        goes_live = row.told is None and row.act in (APPROVE, OVERRULE)
        assert live(desk) == (model_id if goes_live else was_live), row.sentence
        decided = row.told is None and row.act != WITHDRAW
        assert len(decisions(desk, model_id)) == before + decided, row.sentence


def test_a_model_that_does_not_exist_is_not_found(desk: Desk) -> None:
    for what in (APPROVE, REJECT, OVERRULE, WITHDRAW):
        with pytest.raises(NotFound, match="does not exist"):
            act(desk, what, 99)


def test_a_decision_keeps_who_why_when_and_on_what_grounds(desk: Desk) -> None:
    seeded(desk)
    first = promoted(desk)
    second = refused(desk)
    act(desk, OVERRULE, second)
    [decision] = decisions(desk, second)
    assert (decision.kind, decision.people, decision.reason) == (DecisionKind.OVERRULE, {"leads": [CLEO]}, WHY)
    assert (decision.former_model_id, decision.created_at) == (first, NOW)
    assert decision.policy_fingerprint == desk.rules.fingerprint
    with desk.database.reading() as session:
        run = session.get_one(TrainingRun, model(desk, second).run_id)
        assert decision.snapshot_hash == session.get_one(Snapshot, run.snapshot_id).content_hash
        assert decision.evaluation_id == newest_evaluation(session, second).id
    assert model(desk, first).state is ModelState.RETIRED


def test_both_cards_are_drawn_again_on_a_promotion(desk: Desk) -> None:
    seeded(desk)
    first, second = promoted(desk), candidate(desk)
    before = [desk.wanted(Card.CANDIDATE, model_id) for model_id in (first, second)]
    act(desk, APPROVE, second)
    assert [desk.wanted(Card.CANDIDATE, model_id) for model_id in (first, second)] == [count + 1 for count in before]


def test_where_there_are_admins_they_alone_overrule_the_gate(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(admins=[DAN]))
    model_id = refused(desk)
    with pytest.raises(NotAllowed, match=r"Only admins of Support tickets can overrule the golden gate\.$") as no:
        act(desk, OVERRULE, model_id, CLEO)
    assert no.value.ask == (DAN,)
    with pytest.raises(Refusal, match="ask an admin to use “Overrule…”"):
        act(desk, APPROVE, model_id, CLEO)
    act(desk, OVERRULE, model_id, DAN)
    assert live(desk) == model_id


def test_an_admin_may_all_that_a_lead_may(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(admins=[DAN]))
    model_id = candidate(desk)
    assert act(desk, APPROVE, model_id, DAN) is True
    another = candidate(desk)
    act(desk, REJECT, another, DAN)
    assert model(desk, another).state is ModelState.REJECTED


def test_where_every_admin_has_left_no_lead_takes_their_place(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(admins=["S_EMPTY"]))
    with pytest.raises(NotAllowed, match="Only admins"):
        act(desk, OVERRULE, refused(desk), CLEO)


def test_a_withdrawal_by_a_person_who_is_no_lead_leaves_no_trace(desk: Desk) -> None:
    seeded(desk)
    act(desk, WITHDRAW, candidate(desk), ANA)
    with desk.database.reading() as session:
        assert session.scalars(select(Approval)).all() == []


def quorum_of_two(open_desk: OpenDesk) -> Desk:
    return seeded(open_desk(leads=[CLEO, DAN, "U_LEA"], promotion={"approvals": 2}))


def test_a_quorum_of_two_needs_two_people(open_desk: OpenDesk) -> None:
    desk = quorum_of_two(open_desk)
    model_id = candidate(desk)
    assert act(desk, APPROVE, model_id, CLEO, at=1) is False
    assert act(desk, APPROVE, model_id, CLEO, at=1) is False, "a reaction delivered again"
    assert act(desk, APPROVE, model_id, CLEO, at=2) is False, "and a second emoji of the same person"
    assert act(desk, APPROVE, model_id, DAN) is True
    assert decisions(desk, model_id)[0].people == {"leads": [CLEO, DAN]}


def test_a_yes_that_is_taken_back_before_the_quorum_does_not_count(open_desk: OpenDesk) -> None:
    desk = quorum_of_two(open_desk)
    model_id = candidate(desk)
    act(desk, APPROVE, model_id, CLEO, at=1)
    act(desk, WITHDRAW, model_id, CLEO, at=2)
    assert act(desk, APPROVE, model_id, DAN) is False
    assert act(desk, APPROVE, model_id, CLEO, at=3) is True


def test_a_reaction_that_arrives_late_never_undoes_a_newer_one(open_desk: OpenDesk) -> None:
    desk = quorum_of_two(open_desk)
    model_id = candidate(desk)
    act(desk, WITHDRAW, model_id, CLEO, at=2)
    with pytest.raises(Outdated, match="An older reaction arrived late"):
        act(desk, APPROVE, model_id, CLEO, at=1)
    assert act(desk, APPROVE, model_id, DAN, at=5) is False
    with pytest.raises(Outdated):
        act(desk, WITHDRAW, model_id, DAN, at=4)
    assert act(desk, APPROVE, model_id, CLEO, at=3) is True


def test_the_approval_of_a_former_lead_does_not_count(open_desk: OpenDesk) -> None:
    desk = quorum_of_two(open_desk)
    model_id = candidate(desk)
    act(desk, APPROVE, model_id, DAN)
    with desk.database.transaction() as session:
        sync_members(session, desk.queue().id, Role.LEAD, [Person(CLEO), Person(DAN, InactiveReason.GUEST)])
    assert act(desk, APPROVE, model_id, CLEO) is False
    assert live(desk) is None


def test_two_leads_at_the_same_moment_promote_once(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(leads=[CLEO, DAN]))
    model_id = candidate(desk)
    start = Barrier(8)

    def decide(number: int) -> object:
        start.wait(10)
        try:
            return act(desk, APPROVE if number % 4 else REJECT, model_id, (CLEO, DAN)[number % 2], at=number)
        except Refusal as refusal:
            return type(refusal)

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(decide, range(8)))
    assert told.count(AlreadySettled) == 7
    assert len(decisions(desk, model_id)) == 1


def test_a_candidate_is_evaluated_again_when_the_live_model_has_changed(desk: Desk) -> None:
    seeded(desk)
    model_id = outdated(desk)
    assert waiting_jobs(desk, EVALUATE) == 1
    with desk.database.reading() as session:
        old = newest_evaluation(session, model_id)
    evaluated_again(desk)
    with desk.database.reading() as session:
        new = newest_evaluation(session, model_id)
    assert old.live_model_id != new.live_model_id == live(desk)
    assert act(desk, APPROVE, model_id) is True
    assert decisions(desk, model_id)[0].evaluation_id == new.id


def brought_back(desk: Desk, model_id: int) -> None:
    """Live again, as after a roll-back to and fro; what waits is compared with it."""
    with desk.database.transaction() as session:
        locked = session.get_one(Live, desk.queue().id, with_for_update=True)
        go_live(session, locked, session.get_one(ModelVersion, model_id), NOW)


def compared(desk: Desk, model_id: int) -> list[Evaluation]:
    with desk.database.reading() as session:
        found = select(Evaluation).where(Evaluation.model_id == model_id).order_by(Evaluation.id)
        return list(session.scalars(found))


def test_a_candidate_is_measured_once_against_each_live_model(desk: Desk) -> None:
    first, second = promoted(seeded(desk)), promoted(desk)
    model_id = candidate(desk)
    desk.ingest(sent("a text that no comparison has seen yet"))
    for live_again in (first, second):
        brought_back(desk, live_again)
        evaluated_again(desk)
    before, other, again = compared(desk, model_id)
    assert [one.live_model_id for one in (before, other, again)] == [second, first, second]
    assert other.scorecard["texts"]["n"] == 1
    assert again.scorecard["texts"]["n"] == before.scorecard["texts"]["n"] == 0, "it was not measured a second time"
    assert (again.passed, again.blocks, again.golden_hash) == (before.passed, before.blocks, before.golden_hash)
    assert act(desk, APPROVE, model_id) is True, "it is the report of what is live now"


def test_under_another_policy_a_candidate_is_measured_anew(desk: Desk) -> None:
    first, second = promoted(seeded(desk)), promoted(desk)
    model_id = candidate(desk)
    desk.ingest(sent("a text that no comparison has seen yet"))
    brought_back(desk, first)
    evaluated_again(desk)
    stricter = desk.under(promotion={"pooled_alpha": 0.3})
    brought_back(desk, second)
    evaluated_again(stricter)
    before, _other, again = compared(desk, model_id)
    assert [one.scorecard["texts"]["n"] for one in (before, again)] == [0, 1]
    assert again.policy_fingerprint == stricter.rules.fingerprint


def test_what_was_decided_meanwhile_is_not_evaluated_again(desk: Desk) -> None:
    seeded(desk)
    model_id = outdated(desk)
    act(desk, REJECT, model_id)
    with desk.database.reading() as session:
        before = newest_evaluation(session, model_id).id
    evaluated_again(desk)
    with desk.database.reading() as session:
        assert newest_evaluation(session, model_id).id == before
    assert waiting_jobs(desk, EVALUATE) == 0


def test_a_roll_back_brings_back_the_former_model_step_by_step(desk: Desk) -> None:
    seeded(desk)
    with pytest.raises(NotFound, match="Support tickets has no live model"):
        rolled_back(desk)
    first = promoted(desk)
    with pytest.raises(NotFound, match="its first, so there is no earlier one to roll back to"):
        rolled_back(desk)
    second, third = promoted(desk), promoted(desk)
    assert rolled_back(desk, CLEO, "worse on mondays") == "v2"
    assert (live(desk), model(desk, third).state) == (second, ModelState.RETIRED)
    assert rolled_back(desk, "operator", seconds=60) == "v1"
    assert (live(desk), model(desk, first).state) == (first, LIVE)
    with pytest.raises(NotFound, match="no earlier one to roll back to"):
        rolled_back(desk, seconds=120)
    [promote, back] = decisions(desk, second)
    assert (promote.kind, back.kind) == (DecisionKind.PROMOTE, DecisionKind.ROLL_BACK)
    assert (back.people, back.reason, back.former_model_id) == ({"leads": [CLEO]}, "worse on mondays", third)


def test_a_roll_back_that_is_said_twice_goes_back_once(desk: Desk) -> None:
    seeded(desk)
    promoted(desk)
    second, _third = promoted(desk), promoted(desk)
    assert rolled_back(desk) == "v2"
    for again in (DAN, CLEO):
        with pytest.raises(AlreadySettled, match="v3 of Support tickets was rolled back to v2 just now"):
            rolled_back(desk, again, seconds=59)
    assert live(desk) == second


def test_after_a_roll_back_the_next_promotion_goes_back_to_what_it_replaced(desk: Desk) -> None:
    seeded(desk)
    first, _second = promoted(desk), promoted(desk)
    rolled_back(desk)
    third = promoted(desk)
    assert rolled_back(desk) == "v1"
    assert live(desk) == first
    assert model(desk, third).state is ModelState.RETIRED


def test_a_button_beside_an_older_report_decides_nothing(desk: Desk) -> None:
    seeded(desk)
    model_id = candidate(desk)
    with desk.database.reading() as session:
        seen = newest_evaluation(session, model_id).id
        subject = CardRef.of(model_id, model(desk, model_id).created_at)
        assert candidate_meant(session, subject, seen, CLEO, desk.policy) == (model_id, "v1")
        with pytest.raises(Refusal, match="v1 was compared again since"):
            candidate_meant(session, subject, seen - 1, CLEO, desk.policy)
        with pytest.raises(NotAllowed, match="Only leads"):
            candidate_meant(session, subject, seen, DAN, desk.policy)
        with pytest.raises(NotFound):
            candidate_meant(session, CardRef(model_id, 1), seen, CLEO, desk.policy)


def told_to_leads(desk: Desk, *kinds: NoticeKind) -> list[dict[str, Any]]:
    with desk.database.reading() as session:
        found = session.scalars(select(Notice).where(Notice.kind.in_(kinds)).order_by(Notice.id)).all()
    assert {(notice.channel, notice.person) for notice in found} <= {(LEADS, None)}
    return [notice.values for notice in found]


def test_the_leads_are_told_of_a_roll_back_with_who_and_why(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(privacy={"mask": ["email"]}))
    promoted(desk)
    promoted(desk)
    rolled_back(desk, reason="worse, says ana@fernhill.test")
    told = told_to_leads(desk, NoticeKind.ROLLED_BACK, NoticeKind.OVERRULED)
    assert [(one["model"], one["former"], one["leads"], one["reason"]) for one in told] == [
        ("v1", "v2", [CLEO], "worse, says [e-mail]")
    ]


def test_the_leads_are_told_of_an_overruling_with_who_and_why(desk: Desk) -> None:
    seeded(desk)
    promoted(desk)
    act(desk, OVERRULE, refused(desk))
    [told] = told_to_leads(desk, NoticeKind.ROLLED_BACK, NoticeKind.OVERRULED)
    assert (told["model"], told["former"], told["leads"], told["reason"]) == ("v2", "v1", [CLEO], WHY)
    assert (told["gate_passed"], told["erased_rows"]) == (False, 0)


def withdrawn(desk: Desk, model_id: int, person: str = CLEO, at: int = 2) -> None:
    """As a reaction that is removed is handled."""
    act(desk, WITHDRAW, model_id, person, at)
    reacted_at = microseconds(NOW + timedelta(hours=1)) + at
    with desk.database.transaction() as session:
        tell_stays_live(session, model_id, person, reacted_at, LEADS, NOW, desk.policy)


def told_it_stays(desk: Desk) -> list[tuple[str | None, dict[str, Any]]]:
    with desk.database.reading() as session:
        found = session.scalars(select(Notice).where(Notice.kind == NoticeKind.STAYS_LIVE).order_by(Notice.id))
        return [(notice.person, notice.values) for notice in found]


def test_who_takes_a_check_mark_off_a_live_model_hears_who_promoted_it_and_what_undoes_it(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(leads=[CLEO, DAN]))
    promoted(desk)
    model_id = candidate(desk)
    act(desk, APPROVE, model_id, DAN)
    withdrawn(desk, model_id)
    withdrawn(desk, model_id, at=3)
    [(person, told)] = told_it_stays(desk)
    assert (person, told["model"], told["former"], told["kind"], told["leads"]) == (CLEO, "v2", "v1", "promote", [DAN])
    assert (told["name"], told["at"]) == ("support", NOW.timestamp())
    assert live(desk) == model_id


def test_a_model_brought_back_is_said_to_be(desk: Desk) -> None:
    seeded(desk)
    first = promoted(desk)
    promoted(desk)
    withdrawn(desk, first)
    assert told_it_stays(desk) == [], "it is not live"
    rolled_back(desk)
    withdrawn(desk, first, at=3)
    [(_person, told)] = told_it_stays(desk)
    assert (told["model"], told["former"], told["kind"]) == ("v1", None, "roll_back")


def test_others_and_old_reactions_are_not_told_that_it_stays_live(desk: Desk) -> None:
    seeded(desk)
    model_id = candidate(desk)
    withdrawn(desk, model_id, at=1)
    act(desk, APPROVE, model_id, at=3)
    withdrawn(desk, model_id, at=2)
    withdrawn(desk, model_id, DAN, at=4)
    assert told_it_stays(desk) == []
    withdrawn(desk, model_id, at=4)
    assert len(told_it_stays(desk)) == 1


def remind(desk: Desk, hours: float) -> list[tuple[str, str | None, dict[str, Any]]]:
    with desk.database.transaction() as session:
        remind_of_pending(session, NOW + timedelta(hours=hours), desk.policy)
    with desk.database.reading() as session:
        notices = session.scalars(select(Notice).where(Notice.kind == NoticeKind.DECISION_PENDING))
        return [(notice.channel, notice.person, notice.values) for notice in notices]


def test_the_leads_are_reminded_once_of_a_candidate_that_waits(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(promotion={"reminder_hours": 6}))
    rejected(desk)
    candidate(desk)
    assert remind(desk, hours=5.99) == []
    reminder = (LEADS, None, {"queue": "Support tickets", "model": "v2", "hours": 6})
    assert remind(desk, hours=6) == [reminder]
    assert remind(desk, hours=60) == [reminder]
    assert live(desk) is None, "silence is never a yes"


def test_a_queue_that_left_the_policy_does_not_keep_others_from_being_reminded(desk: Desk) -> None:
    seeded(desk)
    candidate(desk)
    others = desk.policy.model_copy(update={"queues": (desk.rules.model_copy(update={"name": "sales"}),)})
    with desk.database.transaction() as session:
        remind_of_pending(session, NOW + timedelta(days=9), others)
    assert len(remind(desk, hours=24)) == 1


def test_approvals_are_kept_with_the_report_they_were_given_for(open_desk: OpenDesk) -> None:
    desk = quorum_of_two(open_desk)
    model_id = candidate(desk)
    act(desk, APPROVE, model_id, CLEO)
    with desk.database.reading() as session:
        [approval] = session.scalars(select(Approval))
        assert approval.evaluation_id == newest_evaluation(session, model_id).id
    assert requested(desk) is not None


def test_a_yes_to_an_older_report_does_not_count_for_a_newer_one(open_desk: OpenDesk) -> None:
    desk = quorum_of_two(open_desk)
    for number in (1, 2):
        model_id = candidate(desk)
        for lead in (CLEO, DAN):
            act(desk, APPROVE, model_id, lead, at=number)
    waiting = candidate(desk)
    assert act(desk, APPROVE, waiting, CLEO, at=3) is False
    rolled_back(desk)
    evaluated_again(desk)
    assert act(desk, APPROVE, waiting, DAN, at=4) is False, "Cleo has not seen this report"
    assert act(desk, APPROVE, waiting, CLEO, at=5) is True
