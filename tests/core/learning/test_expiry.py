"""A candidate without a decision expires as "no decision", and the leads are asked again."""

from datetime import datetime, timedelta

from sqlalchemy import select

from bot.wording.format import PLAIN
from bot.wording.model_history import decision
from core.learning.lifecycle.cards import candidate_card
from core.learning.lifecycle.decisions import approve, reject, remind_of_pending
from core.learning.lifecycle.expiry import expire_pending
from core.records.delivery import Notice
from core.vocabulary import DecisionKind, ModelState, NoticeKind
from tests.core.conftest import OpenDesk
from tests.core.desk import NOW, Desk
from tests.core.models import candidate, decisions, live, model, promoted, seeded
from tests.people import CLEO, DAN, LEADS

WEEK = timedelta(hours=168)


def expired(desk: Desk, now: datetime) -> None:
    with desk.database.transaction() as session:
        expire_pending(session, desk.rules, now)


def told(desk: Desk, kind: NoticeKind) -> list[tuple[str, object]]:
    with desk.database.reading() as session:
        found = session.scalars(select(Notice).where(Notice.kind == kind).order_by(Notice.id))
        return [(row.channel, row.values["hours"]) for row in found]


def test_without_a_decision_in_time_none_is_stored_and_the_leads_are_asked_again(desk: Desk) -> None:
    model_id = candidate(seeded(desk))
    expired(desk, NOW + WEEK - timedelta(seconds=1))
    assert decisions(desk, model_id) == []
    for _repeated in range(2):
        expired(desk, NOW + WEEK)
    [line] = decisions(desk, model_id)
    assert (line.kind, line.people) == (DecisionKind.EXPIRE, {"leads": []})
    assert told(desk, NoticeKind.DECISION_EXPIRED) == [(LEADS, 168)]
    assert (live(desk), model(desk, model_id).state) == (None, ModelState.CANDIDATE)
    expired(desk, NOW + 2 * WEEK)
    assert len(decisions(desk, model_id)) == len(told(desk, NoticeKind.DECISION_EXPIRED)) == 2
    with desk.database.reading() as session:
        words = [decision(one, PLAIN) for one in candidate_card(session, model_id, desk.policy).decisions]
    assert words == ["no decision in time, so the leads are asked again"] * 2


def test_the_reminder_comes_again_too(desk: Desk) -> None:
    candidate(seeded(desk))
    for hours in (24, 30, 168, 180, 192, 200):
        now = NOW + timedelta(hours=hours)
        expired(desk, now)
        with desk.database.transaction() as session:
            remind_of_pending(session, now, desk.policy)
    assert len(told(desk, NoticeKind.DECISION_PENDING)) == 2


def test_a_candidate_can_be_decided_on_after_it_expired_and_a_yes_stands(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(leads=[CLEO, DAN], promotion={"approvals": 2}))
    model_id = candidate(desk)
    with desk.database.transaction() as session:
        assert not approve(session, model_id, CLEO, 1, NOW, desk.policy)
    expired(desk, NOW + WEEK)
    with desk.database.transaction() as session:
        assert approve(session, model_id, DAN, 2, NOW + WEEK, desk.policy)
    assert live(desk) == model_id


def test_what_was_decided_does_not_expire(desk: Desk) -> None:
    seeded(desk)
    promoted(desk)
    rejected = candidate(desk)
    with desk.database.transaction() as session:
        reject(session, rejected, CLEO, NOW, desk.policy)
    expired(desk, NOW + 9 * WEEK)
    assert told(desk, NoticeKind.DECISION_EXPIRED) == []


def test_a_policy_may_wait_for_ever(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(rollout={"expiry_hours": 0}))
    candidate(desk)
    expired(desk, NOW + 99 * WEEK)
    assert told(desk, NoticeKind.DECISION_EXPIRED) == []
